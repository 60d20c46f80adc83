// SPDX-License-Identifier: Apache-2.0
//! Upstream's `llama-results` evaluates a text and writes the logits of all of
//! its positions.

use super::agreement::Bounds;
use crate::test::llama::programs::Programs;
use std::fs;
use std::mem::size_of;
use std::path::Path;

/// All of it is rounding, which the model amplifies: by as much does ggml's CPU
/// backend differ from itself with `--no-repack`.
const BOUNDS: Bounds = Bounds { nmse: 1e-3, scale: 5e-3 };

const FEWEST_POSITIONS: usize = 64;

/// Words of the model, each of which has a logit at every position.
const VOCABULARY: usize = 262_144;

/// Tokens that are evaluated first, to warm up.
const WARM_UP: usize = 2;

pub(super) fn logits(programs: &Programs) -> Result<(), String> {
    // As a prompt is read, and as text is generated.
    logits_of(programs, 512)?;
    logits_of(programs, 1)
}

/// The logits when this many tokens are evaluated at once.
fn logits_of(programs: &Programs, tokens: usize) -> Result<(), String> {
    let folder = programs.folder("logits")?;
    let (cpu, sail) = (folder.join("cpu.gguf"), folder.join("sail.gguf"));
    let words = |file: &Path| {
        let mut words = super::words()?;
        words.extend(["--ubatch-size".to_owned(), tokens.to_string()]);
        words.extend(["--output".to_owned(), file.display().to_string()]);
        Ok::<_, String>(words)
    };
    programs.without("llama-results", &words(&cpu)?)?;
    let said = programs.offloading("llama-results", &words(&sail)?)?;
    let (expected, given) = (Logits::read(&cpu)?, Logits::read(&sail)?);
    let positions = expected.positions();
    if positions < FEWEST_POSITIONS || positions != given.positions() {
        let given = given.positions();
        return Err(format!(
            "{positions} positions, and {given} with the Sail: should be the same, and at least \
             {FEWEST_POSITIONS}"
        ));
    }
    said.expect_all_offloaded(WARM_UP.div_ceil(tokens) + positions.div_ceil(tokens))?;
    let what = format!("logits of {positions} positions, {tokens} at once");
    BOUNDS.hold(&what, &expected.values().zip(given.values()).collect())
}

/// A file that has the tokens, and at its end a row of logits for each of them.
struct Logits(Vec<u8>);

impl Logits {
    /// Bytes of a position.
    const ROW: usize = VOCABULARY * size_of::<f32>();

    fn read(file: &Path) -> Result<Self, String> {
        fs::read(file).map(Self).map_err(|e| format!("{}: {e}", file.display()))
    }

    /// What goes before the logits is less than a row.
    fn positions(&self) -> usize {
        self.0.len() / Self::ROW
    }

    fn values(&self) -> impl Iterator<Item = f32> + '_ {
        let float = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        self.0[self.0.len() % Self::ROW..].chunks_exact(4).map(float)
    }
}
