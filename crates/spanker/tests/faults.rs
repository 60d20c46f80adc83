// SPDX-License-Identifier: Apache-2.0
//! Every way out of trouble, taken: each variant of the error is provoked, by a
//! plan of faults where it is the device's doing, and what can be done after it
//! is done.

#[path = "engines/gate.rs"]
mod gate;

use gate::Gate;
use nix::errno::Errno;
use spanker::{Batch, Error, Matmul, Matrix, Placement, Request, Ring, Sail, SailName, F32, Q4K};
use spanker_soft::{CardConfig, Config, Machine};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

fn machine(plan: &str) -> Machine {
    let faults = plan.parse().unwrap_or_else(|error| panic!("{plan}: {error}"));
    Machine::new(Config { faults, ..Config::default() }).unwrap()
}

fn operands(sail: &Sail) -> Result<(Matrix<F32>, Matrix<Q4K>), Error> {
    Ok((sail.upload(1, 256, &[1.0; 256])?, sail.upload_bytes(4, 256, &[7; 4 * 144])?))
}

/// All that a program does with a Sail.
fn work(sail: &Sail) -> Result<Vec<f32>, Error> {
    sail.ping()?;
    sail.telemetry()?;
    let (a, b) = operands(sail)?;
    let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 4)?))?;
    while sail.completed()? < pending.seqno() {
        std::thread::yield_now();
    }
    let last = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 4)?))?;
    let _ = last.wait()?;
    pending.wait()?.to_vec()
}

fn expected() -> Vec<f32> {
    work(&Sail::software().unwrap()).unwrap()
}

/// Each request fails with an errno of its own; the same again succeeds.
#[test]
fn a_request_that_fails_is_named_and_can_be_tried_again() {
    for (rule, request) in [
        ("PING#1=EIO", Request::Ping),
        ("QUERY#2=ENOMEM", Request::Query),
        ("BUF_CREATE#1=ENOMEM", Request::BufCreate),
        ("BUF_CREATE#2=ENOSPC", Request::BufCreate),
        ("MMAP#2=ENOMEM", Request::Map),
        ("WORK_SUBMIT#1=EAGAIN", Request::WorkSubmit),
        ("WORK_SUBMIT#2=ENOMEM", Request::WorkSubmit),
        ("WAIT#1=EFAULT", Request::Wait),
        ("READ#1=EFAULT", Request::Read),
    ] {
        let machine = machine(rule);
        let sail = Sail::on_machine(&machine, 0).unwrap();
        let error = work(&sail).unwrap_err();
        let errno = rule.rsplit('=').next().unwrap();
        assert!(
            matches!(&error, Error::Request { request: found, .. } if *found == request),
            "{rule}: {error:?}"
        );
        assert!(error.to_string().contains(errno), "{rule}: {error}");
        assert!(error.to_string().starts_with(&request.to_string()), "{rule}: {error}");
        assert_eq!(work(&sail).unwrap(), expected(), "{rule}");
    }
}

#[test]
fn an_interrupted_request_goes_on_by_itself() {
    let machine = machine("WAIT#1=EINTR; READ#1=EINTR");
    assert_eq!(work(&Sail::on_machine(&machine, 0).unwrap()).unwrap(), expected());
}

#[test]
fn after_a_fault_the_sail_is_opened_again_and_the_weights_are_taken_along() {
    // Behind a gate, so that the second has not failed before the third is there.
    let gate = Arc::new(Gate::default());
    let faults = "batch#2".parse().unwrap();
    let config = Config { faults, engine: Arc::clone(&gate) as _, ..Config::default() };
    let machine = Machine::new(config).unwrap();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (a, b) = operands(&sail).unwrap();
    let submit = || sail.submit(Matmul::new(&a, &b, sail.matrix(1, 4).unwrap()));
    let (first, second, third) = (submit().unwrap(), submit().unwrap(), submit().unwrap());
    gate.open();
    let first = first.wait().unwrap().to_vec().unwrap();
    assert!(matches!(second.wait(), Err(Error::Fault { seqno: 2, op: 0, code: 1 })));
    assert!(matches!(third.wait(), Err(Error::Cancelled { seqno: 3, fault_seqno: 2 })));
    assert_eq!(submit().unwrap_err().error.errno(), Some(Errno::EIO as i32));

    let again = Sail::on_machine(&machine, 0).unwrap();
    let a = again.upload_bytes::<F32>(1, 256, a.view().unwrap().bytes()).unwrap();
    let b = again.upload_bytes::<Q4K>(4, 256, b.view().unwrap().bytes()).unwrap();
    for _ in 0..3 {
        let out = again.matrix(1, 4).unwrap();
        let out = again.submit(Matmul::new(&a, &b, out)).unwrap().wait().unwrap();
        assert_eq!(out.to_vec().unwrap(), first);
    }
}

/// A wait without a time limit does not end by it, whatever the device says:
/// the work is in flight still.
#[test]
fn a_time_limit_that_nobody_set_hands_out_no_results() {
    let machine = machine("WAIT#1=ETIMEDOUT; slow=60s");
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (a, b) = operands(&sail).unwrap();
    let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 4).unwrap())).unwrap();
    let error = pending.wait().unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ETIMEDOUT as i32), "{error}");
}

/// An errno that belongs to a fault, without a fault.
#[test]
fn no_fault_is_made_up() {
    let machine = machine("WAIT#1=EIO; slow=60s");
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (a, b) = operands(&sail).unwrap();
    let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 4).unwrap())).unwrap();
    let error = pending.wait().unwrap_err();
    assert!(matches!(error, Error::Request { request: Request::Wait, .. }), "{error}");
}

#[test]
fn a_card_that_is_gone_is_told_by_every_request() {
    let machine = machine("");
    let sail = Sail::on_machine(&machine, 0).unwrap();
    machine.reset(0);
    for error in [
        sail.ping().unwrap_err(),
        sail.telemetry().unwrap_err(),
        sail.matrix::<F32>(1, 1).unwrap_err(),
        sail.completed().unwrap_err(),
        sail.caps().unwrap_err(),
    ] {
        assert!(error.to_string().contains("open the Sail again"), "{error}");
    }
}

#[test]
fn what_can_be_tried_again_is_told_from_what_needs_a_new_open() {
    let sail = open("WORK_SUBMIT#1=EAGAIN; batch#1").unwrap();
    let (a, b) = operands(&sail).unwrap();
    let refused = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 4).unwrap())).unwrap_err();
    assert!(refused.error.is_queue_full() && !refused.error.needs_reopening());
    let fault = sail.submit(refused.work).unwrap().wait().unwrap_err();
    assert!(fault.needs_reopening() && !fault.is_queue_full(), "{fault}");
    let refused = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 4).unwrap())).unwrap_err();
    assert!(refused.error.needs_reopening(), "{refused}");
    assert!(!sail.matrix::<Q4K>(1, 1).unwrap_err().needs_reopening());
}

#[test]
fn a_reset_ends_an_open_and_the_next_one_works() {
    let machine = machine("slow=60s; reset=20ms");
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (a, b) = operands(&sail).unwrap();
    let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 4).unwrap())).unwrap();
    let error = pending.wait().unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENODEV as i32), "{error}");
    let again = Sail::on_machine(&machine, 0).unwrap();
    again.ping().unwrap();
}

#[test]
fn a_time_limit_holds_while_the_engine_is_slow() {
    let machine = machine("slow=60s");
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let (a, b) = operands(&sail).unwrap();
    let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(1, 4).unwrap())).unwrap();
    let progress = pending.wait_timeout(Duration::from_millis(5)).unwrap();
    assert!(matches!(progress, spanker::Progress::NotYet(_)));
}

/// The variants of `Error`, as its source declares them.
fn declared() -> BTreeSet<String> {
    let source = include_str!("../src/error.rs");
    let body = source.split_once("pub enum Error {").unwrap().1.split_once("\n}").unwrap().0;
    let names = body.lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?.trim_end_matches([' ', '{', ',']);
        name.starts_with(char::is_uppercase).then(|| name.to_owned())
    });
    names.collect()
}

fn variant(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split(':').next().unwrap_or_default().to_owned()
}

type Way = fn() -> Result<Error, Error>;

fn open(plan: &str) -> Result<Sail, Error> {
    Sail::on_machine(&machine(plan), 0)
}

fn small(card: CardConfig) -> Result<Sail, Error> {
    let machine = Machine::new(Config { cards: vec![card], ..Config::default() }).unwrap();
    Sail::on_machine(&machine, 0)
}

fn out(sail: &Sail) -> Result<Matrix<F32>, Error> {
    sail.matrix(1, 4)
}

/// What each variant takes. Two are not here: what takes an environment or a
/// build of its own has a test of its own, `software_refused` and
/// `without_software`.
const WAYS: &[(&str, Way)] = &[
    ("Open", || Ok(open("OPEN#1=EMFILE").unwrap_err())),
    ("NotASail", || Ok(open("GET_VERSION#1=ENOTTY").unwrap_err())),
    ("IncompatibleAbi", || Ok(open("version=9.0.0").unwrap_err())),
    ("Request", || Ok(open("QUERY#1=EIO").unwrap_err())),
    ("SailName", || Ok("sfot".parse::<SailName>().unwrap_err())),
    ("OpRefused", || {
        let sail = small(CardConfig { max_k: 128, ..CardConfig::default() })?;
        let (a, b) = operands(&sail)?;
        Ok(sail.submit(Matmul::new(&a, &b, out(&sail)?)).unwrap_err().error)
    }),
    ("MatrixShape", || Ok(Sail::software()?.matrix::<Q4K>(1, 100).unwrap_err())),
    ("OperandShape", || {
        let sail = Sail::software()?;
        let (a, b) = operands(&sail)?;
        Ok(sail.submit(Matmul::new(&a, &b, sail.matrix(1, 5)?)).unwrap_err().error)
    }),
    ("Length", || Ok(Sail::software()?.upload::<F32>(1, 2, &[]).unwrap_err())),
    ("ForeignMatrix", || {
        let (sail, other) = (Sail::software()?, Sail::software()?);
        let (a, b) = operands(&sail)?;
        Ok(other.submit(Matmul::new(&a, &b, out(&other)?)).unwrap_err().error)
    }),
    ("ForeignBatch", || {
        let (sail, other) = (Sail::software()?, Sail::software()?);
        let (a, b) = operands(&sail)?;
        let mut batch = Batch::new(&sail);
        batch.push(Matmul::new(&a, &b, out(&sail)?))?;
        Ok(other.submit(batch).unwrap_err().error)
    }),
    ("NoSuchResult", || {
        let sail = Sail::software()?;
        let (_, b) = operands(&sail)?;
        Ok(Batch::new(&sail).push_chained(3, &b, out(&sail)?).unwrap_err().error)
    }),
    ("NothingToRecycle", || {
        let sail = Sail::software()?;
        let (a, b) = operands(&sail)?;
        Ok(Batch::new(&sail).push_recycled(&a, &b).unwrap_err())
    }),
    ("OldResults", || {
        let sail = Sail::software()?;
        let (a, b) = operands(&sail)?;
        let mut batch = Batch::new(&sail);
        batch.push(Matmul::new(&a, &b, out(&sail)?))?;
        let mut batch = sail.submit(batch)?.wait()?;
        let error = batch.push(Matmul::new(&a, &b, out(&sail)?)).unwrap_err().error;
        Ok(error)
    }),
    ("EmptyBatch", || {
        let sail = Sail::software()?;
        Ok(sail.submit(Batch::new(&sail)).unwrap_err().error)
    }),
    ("InFlight", || {
        let sail = open("slow=60s")?;
        let (mut a, b) = operands(&sail)?;
        let _pending = sail.submit(Matmul::new(&a, &b, out(&sail)?))?;
        Ok(a.write(&[0.0; 256]).unwrap_err())
    }),
    ("NotMapped", || {
        let resident = Sail::software()?.matrix_in::<F32>(1, 1, Placement::Device)?;
        Ok(resident.to_vec().unwrap_err())
    }),
    ("Fault", || {
        let sail = open("batch#1")?;
        let (a, b) = operands(&sail)?;
        Ok(sail.submit(Matmul::new(&a, &b, out(&sail)?))?.wait().unwrap_err())
    }),
    ("Cancelled", || {
        // The first op takes long enough for the second batch to be queued.
        let sail = open("slow=20ms; batch#1")?;
        let (a, b) = operands(&sail)?;
        let _first = sail.submit(Matmul::new(&a, &b, out(&sail)?))?;
        Ok(sail.submit(Matmul::new(&a, &b, out(&sail)?))?.wait().unwrap_err())
    }),
    #[cfg(feature = "tokio")]
    ("ResultsTaken", || {
        let sail = Sail::software()?;
        let (a, b) = operands(&sail)?;
        let mut pending = sail.submit(Matmul::new(&a, &b, out(&sail)?))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let _ = runtime.unwrap().block_on(&mut pending)?;
        Ok(pending.wait().unwrap_err())
    }),
    ("RingFull", || {
        let sail = Sail::software()?;
        let (_, b) = operands(&sail)?;
        let mut ring = Ring::new(&sail, b, 1, 1)?;
        ring.submit(&[0.0; 256])?;
        Ok(ring.submit(&[0.0; 256]).unwrap_err())
    }),
    #[cfg(feature = "tokio")]
    ("EventLoop", || {
        let sail = open("slow=60s")?;
        let (a, b) = operands(&sail)?;
        let pending = sail.submit(Matmul::new(&a, &b, out(&sail)?))?;
        // In a task of a runtime it would wait; here there is none.
        let waker = std::task::Waker::from(std::sync::Arc::new(Unwoken));
        let mut context = std::task::Context::from_waker(&waker);
        match std::future::Future::poll(std::pin::pin!(pending), &mut context) {
            std::task::Poll::Ready(Err(error)) => Ok(error),
            other => panic!("{other:?}"),
        }
    }),
    #[cfg(feature = "record")]
    ("SailInUse", || {
        let sail = Sail::software()?;
        let _matrix = out(&sail)?;
        Ok(spanker::Recorder::new(sail, std::io::sink()).unwrap_err().error)
    }),
    #[cfg(feature = "record")]
    ("Record", || {
        Ok(spanker::Recorder::create(Sail::software()?, "/nowhere/record.jsonl").unwrap_err().error)
    }),
];

#[cfg(feature = "tokio")]
struct Unwoken;

#[cfg(feature = "tokio")]
impl std::task::Wake for Unwoken {
    fn wake(self: std::sync::Arc<Self>) {}
}

#[test]
fn names_with_line_ends_are_told_on_one_line() {
    for error in [
        "a\nb".parse::<SailName>().unwrap_err(),
        Sail::open_path("/tmp/x\ny").unwrap_err(),
        Sail::open_path("/dev/fd/../null\u{1b}[2J").unwrap_err(),
    ] {
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
    }
}

#[test]
fn each_variant_of_the_error_is_provoked_and_says_what_is_wrong_in_one_line() {
    let mut declared = declared();
    assert!(declared.remove("Software") && declared.remove("NoSoftware"));
    if cfg!(not(feature = "tokio")) {
        // Only what is polled comes to them.
        assert!(declared.remove("ResultsTaken") && declared.remove("EventLoop"));
    }
    if cfg!(not(feature = "record")) {
        assert!(declared.remove("SailInUse") && declared.remove("Record"));
    }
    let ways: BTreeSet<String> = WAYS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(ways, declared);
    for (name, way) in WAYS {
        let error = way().unwrap();
        assert_eq!(variant(&error), *name, "{error}");
        let text = error.to_string();
        assert!(text.len() > 20 && !text.contains('\n'), "{name}: {text}");
    }
}
