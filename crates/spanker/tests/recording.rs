// SPDX-License-Identifier: Apache-2.0
//! Requests written down, and run again.

#[path = "operands/random.rs"]
mod random;

use random::{q4_k, Random};
use serde_json::Value;
use spanker::{
    replay, Batch, Copy, Error, Matmul, Placement, Recorder, ReplayError, Sail, F32, Q4K,
};
use spanker_soft::{CardConfig, Config, Machine};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// A file in memory.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn sail_on(card: CardConfig) -> Sail {
    let machine = Machine::new(Config { cards: vec![card], ..Config::default() }).unwrap();
    Sail::on_machine(&machine, 0).unwrap()
}

/// A record of all there is: uploads, a batch with a chain, accumulation, a
/// matrix written anew, device memory, a matrix that goes, and requests that
/// fail.
fn record() -> String {
    let file = Shared::default();
    let card = CardConfig { max_buf_size: 1 << 20, ..CardConfig::default() };
    let sail = Recorder::new(sail_on(card), file.clone()).unwrap();
    let mut random = Random::new(3);
    let up = sail.upload_bytes::<Q4K>(512, 256, &q4_k(&mut random, 512 * 256)).unwrap();
    let down = sail.upload_bytes::<Q4K>(4, 512, &q4_k(&mut random, 4 * 512)).unwrap();
    let mut x = sail.upload::<F32>(1, 256, &[0.5; 256]).unwrap();
    for token in 0..2 {
        let mut batch = Batch::new(&sail);
        let hidden = batch.push(Matmul::new(&x, &up, sail.matrix(1, 512).unwrap())).unwrap();
        batch.push_chained(hidden, &down, sail.matrix(1, 4).unwrap()).unwrap();
        let batch = sail.submit(batch).unwrap().wait().unwrap();
        drop(batch);
        x.write(&[token as f32; 256]).unwrap();
    }
    let start = sail.upload::<F32>(1, 512, &[1.0; 512]).unwrap();
    let sum = sail.submit(Matmul::new(&x, &up, start).accumulate()).unwrap().wait().unwrap();
    let resident = sail.matrix_in::<F32>(1, 512, Placement::Device).unwrap();
    let resident = sail.submit(Copy::new(&sum, resident)).unwrap().wait().unwrap();
    let back = sail.matrix(1, 512).unwrap();
    let back = sail.submit(Copy::new(&resident, back)).unwrap().wait().unwrap();
    assert_eq!(back.to_vec().unwrap(), sum.to_vec().unwrap());
    assert!(sail.matrix::<F32>(1 << 10, 1 << 10).is_err());
    sail.ping().unwrap();
    sail.finish().unwrap();
    file.text()
}

fn lines(record: &str) -> Vec<Value> {
    record.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_request_is_written_down_with_sizes_and_times() {
    let record = record();
    let lines = lines(&record);
    assert_eq!(lines[0]["spanker_record"], 1);
    assert_eq!(lines[0]["abi"], "0.2.0");
    let requests: Vec<&Value> = lines.iter().filter(|line| line["request"].is_string()).collect();
    let count = |name: &str| requests.iter().filter(|line| line["request"] == name).count();
    let matrices = 3 + 2 * 2 + 3;
    assert_eq!((count("BUF_CREATE"), count("mmap")), (matrices + 1, matrices - 1));
    assert_eq!((count("WORK_SUBMIT"), count("WAIT"), count("PING")), (5, 5, 1));
    for line in &requests {
        assert!(line["at_ns"].is_u64() && line["took_ns"].is_u64(), "{line}");
    }
    let submit = requests.iter().find(|line| line["request"] == "WORK_SUBMIT").unwrap();
    assert_eq!((&submit["struct_bytes"], &submit["payload_bytes"]), (&32.into(), &192.into()));
    assert_eq!(submit["ops"][1]["a"]["handle"], submit["ops"][0]["out"]["handle"]);
    let failed: Vec<_> = requests.iter().filter(|line| !line["errno"].is_null()).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["errno"], nix::errno::Errno::EINVAL as i32);
}

#[test]
fn what_the_host_wrote_is_written_down_once_and_what_the_device_wrote_each_time() {
    let record = record();
    let lines = lines(&record);
    let of = |kind: &str| lines.iter().filter(|line| !line[kind].is_null()).count();
    // up, down, x three times, and what the accumulation starts from.
    assert_eq!(of("write"), 6);
    // Two batches of two, the sum, and the copy back; not what is on the device.
    assert_eq!(of("result"), 6);
}

#[test]
fn a_record_run_again_has_the_same_bits_also_on_a_smaller_card() {
    let record = record();
    let tight = CardConfig { max_inflight: 1, max_bufs: 11, ..CardConfig::default() };
    for sail in [Sail::software().unwrap(), sail_on(tight)] {
        let replayed = replay(&sail, record.as_bytes()).unwrap();
        assert_eq!((replayed.batches, replayed.ops, replayed.results), (5, 7, 6));
        assert_eq!(replayed.differences, []);
        assert_eq!(replayed.bytes, 2 * (512 + 4) * 4 + 2 * 512 * 4);
        assert!(!replayed.recorded_time.is_zero() && !replayed.time.is_zero());
    }
}

/// Several batches in flight, and completion learned from the counter: a slower
/// card with a shorter queue, and other handles, comes to the same.
#[test]
fn a_record_of_a_pipeline_runs_on_a_slow_card_too() {
    let file = Shared::default();
    let sail = Recorder::new(sail_on(CardConfig::default()), file.clone()).unwrap();
    let weights = q4_k(&mut Random::new(8), 4 * 256);
    let weights = sail.upload_bytes::<Q4K>(4, 256, &weights).unwrap();
    let mut xs: Vec<_> = (0..3).map(|_| sail.matrix::<F32>(1, 256).unwrap()).collect();
    // Results are looked at only in the end, when what they came of has been
    // written anew.
    let mut done = Vec::new();
    for round in 0..3 {
        for x in &mut xs {
            x.write(&[round as f32 + 0.5; 256]).unwrap();
            let out = sail.matrix(1, 4).unwrap();
            done.push(sail.submit(Matmul::new(&*x, &weights, out)).unwrap());
        }
        while sail.completed().unwrap() < 3 * (round + 1) {
            std::thread::yield_now();
        }
    }
    for pending in done {
        let _ = pending.wait().unwrap();
    }
    sail.finish().unwrap();
    let record = file.text();
    assert!(!record.contains("\"WAIT\""), "the counter told all");

    for max_inflight in [1, 1024] {
        let faults = "slow=3ms".parse().unwrap();
        let cards = vec![CardConfig { max_inflight, ..CardConfig::default() }];
        let machine = Machine::new(Config { cards, faults, ..Config::default() }).unwrap();
        let sail = Sail::on_machine(&machine, 0).unwrap();
        let _before = sail.matrix::<F32>(1, 1).unwrap();
        let replayed = replay(&sail, record.as_bytes()).unwrap();
        assert_eq!((replayed.batches, replayed.results), (9, 9));
        assert_eq!(replayed.differences, []);
    }
}

#[test]
fn one_bit_that_differs_is_found_and_told() {
    let record = record();
    let mut changed = String::new();
    let mut at = 0;
    for (number, line) in (1..).zip(record.lines()) {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if at == 0 && !line["result"].is_null() {
            at = number;
            // The lowest bit of the sixth byte.
            let data = line["data"].as_str().unwrap();
            let digit = u8::from_str_radix(&data[11..12], 16).unwrap() ^ 1;
            line["data"] = format!("{}{digit:x}{}", &data[..11], &data[12..]).into();
        }
        changed += &format!("{line}\n");
    }
    let replayed = replay(&Sail::software().unwrap(), changed.as_bytes()).unwrap();
    let [difference] = &replayed.differences[..] else { panic!("{replayed:?}") };
    assert_eq!((difference.line, difference.seqno), (at, 1));
    assert_eq!((difference.offset, difference.count), (5, 1));
    assert!(difference.to_string().contains("differs in 1 byte, the first at 5"), "{difference}");
}

#[test]
fn a_card_that_does_not_take_the_work_is_named_with_the_line() {
    let record = record();
    let small = sail_on(CardConfig { max_buf_size: 4096, ..CardConfig::default() });
    let error = replay(&small, record.as_bytes()).unwrap_err();
    let ReplayError::Sail { line, source } = &error else { panic!("{error}") };
    assert!(matches!(source, Error::Request { .. }), "{error}");
    assert!(lines(&record)[line - 1]["size"].is_u64(), "{error}");
}

#[test]
fn what_is_no_record_is_refused_with_the_line_and_the_reason() {
    let first = r#"{"spanker_record":1}"#;
    let create = r#"{"request":"BUF_CREATE","errno":null,"handle":1,"size":16,"device":false}"#;
    for (text, reason) in [
        (String::new(), "line 1 is not one of a record of spanker: it is empty"),
        ("nonsense".into(), "line 1"),
        ("{}".into(), "no `spanker_record`"),
        (r#"{"spanker_record":2}"#.into(), "format 2, and this program reads format 1"),
        (format!("{first}\n[]"), "line 2 is not one of a record of spanker: it has neither"),
        (format!("{first}\n{{\"write\":1,\"data\":\"abc\"}}"), "hexadecimal"),
        (format!("{first}\n{{\"write\":1,\"data\":\"ab\"}}"), "no buffer 1 was created"),
        (format!("{first}\n{create}\n{{\"write\":1,\"data\":\"ab\"}}"), "16 bytes, and 1 are"),
        (
            format!("{first}\n{{\"request\":\"WORK_SUBMIT\",\"errno\":null,\"took_ns\":1}}"),
            "WORK_SUBMIT has no `ops`",
        ),
        (
            format!(
                "{first}\n{{\"request\":\"WORK_SUBMIT\",\"errno\":null,\"took_ns\":1,\"ops\":[{{}}]}}"
            ),
            "an op lacks a field",
        ),
        (
            format!("{first}\n{{\"request\":\"BUF_CREATE\",\"errno\":null,\"handle\":1,\"size\":0}}"),
            "0 bytes",
        ),
    ] {
        let error = replay(&Sail::software().unwrap(), text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(reason), "{text}: {error}");
    }
    // A file without an end to its first line is not read to the end.
    let endless = io::BufReader::new(io::repeat(b' '));
    let error = replay(&Sail::software().unwrap(), endless).unwrap_err();
    assert!(
        error.to_string().contains("line 1") && error.to_string().contains("longer"),
        "{error}"
    );
    let error = replay(&Sail::software().unwrap(), &b"\xff\n"[..]).unwrap_err();
    assert!(error.to_string().contains("not UTF-8"), "{error}");
}

#[test]
fn a_sail_in_use_cannot_be_recorded_from_the_middle() {
    let sail = Sail::software().unwrap();
    let _matrix = sail.matrix::<F32>(1, 1).unwrap();
    let path = std::env::temp_dir().join(format!("spanker-kept-{}.jsonl", std::process::id()));
    std::fs::write(&path, "an older record").unwrap();
    let refused = Recorder::create(sail, &path).unwrap_err();
    assert!(matches!(refused.error, Error::SailInUse), "{refused}");
    assert!(refused.to_string().contains("before the first matrix"), "{refused}");
    refused.work.ping().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "an older record");
    std::fs::remove_file(path).unwrap();
}

/// A disk that is full after so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_record_that_cannot_be_written_is_told_at_its_end_and_the_work_goes_on() {
    for room in [0, 10_000] {
        let sail = Recorder::new(Sail::software().unwrap(), Full(room)).unwrap();
        let a = sail.upload::<F32>(1, 4096, &[1.0; 4096]).unwrap();
        let out = sail.submit(Copy::new(&a, sail.matrix(1, 4096).unwrap())).unwrap();
        assert_eq!(out.wait().unwrap().to_vec().unwrap(), [1.0; 4096]);
        let error = sail.finish().unwrap_err();
        assert!(
            matches!(&error, Error::Record { source }
            if source.kind() == io::ErrorKind::OutOfMemory),
            "{error}"
        );
    }
}

#[test]
fn a_record_that_was_cut_off_is_told_from_a_whole_one() {
    let record = record();
    assert!(replay(&Sail::software().unwrap(), record.as_bytes()).unwrap().complete);
    let cut = record.trim_end().rsplit_once('\n').unwrap().0;
    let replayed = replay(&Sail::software().unwrap(), cut.as_bytes()).unwrap();
    assert!(!replayed.complete);
    assert_eq!(replayed.results, 6);
    let torn = &record[..record.len() - 5];
    let error = replay(&Sail::software().unwrap(), torn.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("it was cut off: it is no JSON, from column"), "{error}");
}

/// The record of a replay is that of what was replayed.
#[test]
fn a_replay_can_be_recorded_itself() {
    let file = Shared::default();
    let sail = Recorder::new(Sail::software().unwrap(), file.clone()).unwrap();
    let replayed = replay(&sail, record().as_bytes()).unwrap();
    sail.finish().unwrap();
    let again = replay(&Sail::software().unwrap(), file.text().as_bytes()).unwrap();
    assert_eq!((again.batches, again.results), (replayed.batches, replayed.results));
    assert!(again.differences.is_empty());
}

/// What a panicking writer does to a request that the device has accepted:
/// nothing.
#[test]
fn a_writer_that_panics_leaves_no_operand_unguarded() {
    struct Panicking(bool);
    impl Write for Panicking {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert!(!bytes.windows(11).any(|part| part == b"WORK_SUBMIT"), "on purpose");
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            assert!(self.0, "on purpose");
            Ok(())
        }
    }
    let faults = "slow=60s".parse().unwrap();
    let machine = Machine::new(Config { faults, ..Config::default() }).unwrap();
    let sail = Sail::on_machine(&machine, 0).unwrap();
    let sail = Recorder::new(sail, Panicking(true)).unwrap();
    // More than is held back before it is written.
    let mut a = sail.upload::<F32>(1, 8192, &[1.0; 8192]).unwrap();
    let pending = sail.submit(Copy::new(&a, sail.matrix(1, 8192).unwrap())).unwrap();
    assert!(matches!(a.write(&[2.0; 8192]), Err(Error::InFlight { .. })));
    drop(pending);
    for _ in 0..100 {
        sail.ping().unwrap();
    }
    let error = sail.finish().unwrap_err();
    assert!(error.to_string().contains("panicked"), "{error}");
}

#[test]
fn nothing_is_recorded_after_the_end() {
    let file = Shared::default();
    let sail = Recorder::new(Sail::software().unwrap(), file.clone()).unwrap();
    let a = sail.upload::<F32>(1, 4, &[1.0; 4]).unwrap();
    let sail = sail.finish().unwrap();
    let text = file.text();
    let _ = sail.submit(Copy::new(&a, sail.matrix(1, 4).unwrap())).unwrap().wait().unwrap();
    assert_eq!(file.text(), text);
}
