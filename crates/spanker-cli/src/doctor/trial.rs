// SPDX-License-Identifier: Apache-2.0
//! A small product on the Sail that a program would get.

use super::finding::Finding;
use crate::exit::{Code, Failure};
use crate::layer;
use crate::random::Random;
use crate::reference::compare;
use spanker::{Matmul, Sail, SailName, F32, Q4K};
use std::time::Duration;

/// Rows of x, rows of weights, columns.
const SHAPE: [usize; 3] = [2, 64, 256];

/// Where there is a Sail that needs less.
pub(super) const AVOID: &str = "See what stands above. The software Sail needs no card and no \
                                driver: export SPANKER_SAIL=soft";
/// Where there is none.
const BROKEN: &str = "See what stands above. If nothing there explains it, report it with the \
                      output of: spanker doctor --json";

/// Runs it.
///
/// # Errors
/// What a program would get: the failure, after a finding that tells it.
pub(super) fn run(name: &SailName, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    let [m, n, k] = SHAPE;
    let tried = Sail::open_named(name).map_err(Failure::from).and_then(|sail| {
        multiply(&sail).map(|nmse| (sail.info().name.clone(), sail.version(), nmse))
    });
    match tried {
        Ok((card, version, nmse)) => {
            findings.push(Finding::ok(
                "trial",
                format!(
                    "A program gets Sail {name}: {card}, ABI {version}. A product of {m}×{k} and \
                     {n}×{k} on it was right (NMSE {nmse:.0e})."
                ),
            ));
            Ok(())
        }
        Err(failure) => {
            let remedy = match name {
                SailName::Software => BROKEN,
                SailName::Index(_) | SailName::Path(_) => AVOID,
            };
            let found = format!("A program that uses Sail {name} fails: {failure}.");
            findings.push(Finding::problem("trial", found).remedy(remedy));
            Err(failure)
        }
    }
}

/// How long a tiny product may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far from f64 the result is.
fn multiply(sail: &Sail) -> Result<f64, Failure> {
    let [m, n, k] = SHAPE;
    let mut random = Random::new(0);
    let weights = layer::weights(&mut random, n, k);
    let x = layer::activations(&mut random, m, k);
    let b = sail.upload_bytes::<Q4K>(n, k, &weights)?;
    let a = sail.upload::<F32>(m, k, &x)?;
    let pending = sail.submit(Matmul::new(&a, &b, sail.matrix(m, n)?))?;
    let Some(out) = pending.wait_timeout(PATIENCE)?.done() else {
        let text = format!("its result is not there after {} s", PATIENCE.as_secs());
        return Err(Failure::new(Code::Device, text));
    };
    let out = out.to_vec()?;
    let agreement = compare(&weights, &x, k, &out, &|_| ());
    if agreement.is_right() {
        Ok(agreement.nmse())
    } else {
        let nmse = agreement.nmse();
        Err(Failure::new(Code::Wrong, format!("its result is wrong: NMSE {nmse:.1e} against f64")))
    }
}
