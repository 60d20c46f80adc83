// SPDX-License-Identifier: Apache-2.0
//! `spanker matmul`: activations times the weights of a model.

mod report;
mod room;

use crate::arguments::MatmulArguments;
use crate::chosen_sail::ChosenSail;
use crate::exit::{Code, Failure};
use crate::gguf_file::{GgufFile, Q4KTensor};
use crate::layer;
use crate::npy_file::{F32Matrix, NpyInput};
use crate::output_file::OutputFile;
use crate::quantity::{gflops, ms};
use crate::random::Random;
use crate::reference::{compare, MOST_NMSE};
use crate::stopwatch::Stopwatch;
use report::MatmulReport;
use spanker::{Matmul, F32, Q4K};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Results of which one that is near 0 by chance makes an NMSE large.
const FEW: usize = 64;

pub(crate) fn run(arguments: &MatmulArguments) -> Result<(), Failure> {
    let ChosenSail { sail, name } =
        ChosenSail::open(arguments.sail.name.as_ref(), arguments.threads.count)?;
    let output = match &arguments.output {
        Some(path) => Some(prepare_output(path, arguments)?),
        None => None,
    };

    let model = GgufFile::open(&arguments.weights)?;
    let tensor = model.q4k(&arguments.tensor)?;
    let source = Source::open(arguments, &tensor)?;
    let shape = [source.rows(), tensor.rows, tensor.k];
    room::require(sail.info(), shape, tensor.length)?;

    let mut clock = Stopwatch::start();
    let mut b = sail.matrix::<Q4K>(tensor.rows, tensor.k)?;
    model.read(&tensor, b.view_mut()?.bytes_mut())?;
    let x = source.read(tensor.k)?;
    let read = clock.lap();

    let a = sail.upload::<F32>(x.rows, x.cols, &x.values)?;
    let out = sail.matrix::<F32>(x.rows, tensor.rows)?;
    let upload = clock.lap();
    let out = sail.submit(Matmul::new(&a, &b, out))?.wait()?;
    let compute = clock.lap();
    let result = F32Matrix { rows: x.rows, cols: tensor.rows, values: out.to_vec()? };
    let download = clock.lap();

    if let Some(output) = &output {
        output.write(&result)?;
    }
    let mut agreement = None;
    let mut verify = Duration::ZERO;
    if arguments.verify {
        clock.lap();
        let weights = b.view()?;
        agreement = Some(compare(weights.bytes(), &x.values, x.cols, &result.values));
        verify = clock.lap();
    }

    let is_random = arguments.input.is_none();
    let report = MatmulReport {
        sail: name.to_string(),
        node: sail.path().map(|path| path.display().to_string()),
        card: sail.info().name.clone(),
        threads: arguments.threads.count,
        weights: arguments.weights.display().to_string(),
        tensor: arguments.tensor.clone(),
        tensor_type: "Q4_K",
        weight_rows: tensor.rows,
        k: tensor.k,
        input: arguments.input.as_ref().map(|path| path.display().to_string()),
        random: is_random.then_some(x.rows),
        seed: is_random.then_some(arguments.seed),
        input_rows: x.rows,
        output: arguments.output.as_ref().map(|path| path.display().to_string()),
        read_ms: ms(read),
        upload_ms: ms(upload),
        compute_ms: ms(compute),
        download_ms: ms(download),
        verify_ms: agreement.map(|_| ms(verify)),
        gflops: gflops(shape, compute),
        first: result.values.iter().take(result.cols.min(8)).copied().collect(),
        not_finite: result.values.iter().filter(|y| !y.is_finite()).count(),
        nmse: agreement.map(|agreement| agreement.nmse()),
        verified: agreement.map(|agreement| agreement.is_right()),
    };
    crate::report::print(&report, arguments.json.json)?;
    match report.verified {
        Some(false) => Err(wrong(&report)),
        _ => Ok(()),
    }
}

/// Where the activations come from.
enum Source {
    File(NpyInput),
    Random { rows: usize, seed: u64 },
}

impl Source {
    fn open(arguments: &MatmulArguments, tensor: &Q4KTensor) -> Result<Self, Failure> {
        let Some(path) = &arguments.input else {
            return Ok(Self::Random {
                rows: arguments.random.unwrap_or(1) as usize,
                seed: arguments.seed,
            });
        };
        let input = NpyInput::open(path)?;
        if input.cols != tensor.k {
            return Err(Failure::new(
                Code::Input,
                format!(
                    "{} has {} columns, required are {k}, as many as tensor {:?} has: give an \
                     array of the shape (N, {k})",
                    path.display(),
                    input.cols,
                    arguments.tensor,
                    k = tensor.k
                ),
            ));
        }
        Ok(Self::File(input))
    }

    fn rows(&self) -> usize {
        match self {
            Self::File(input) => input.rows,
            Self::Random { rows, .. } => *rows,
        }
    }

    fn read(self, k: usize) -> Result<F32Matrix, Failure> {
        match self {
            Self::File(input) => Ok(input.read()?),
            Self::Random { rows, seed } => Ok(F32Matrix {
                rows,
                cols: k,
                values: layer::activations(&mut Random::new(seed), rows, k),
            }),
        }
    }
}

/// The place for the results, which must not be that of an input.
fn prepare_output(path: &Path, arguments: &MatmulArguments) -> Result<OutputFile, Failure> {
    let is = |other: &Path| match (fs::canonicalize(path), fs::canonicalize(other)) {
        (Ok(path), Ok(other)) => path == other,
        _ => false,
    };
    let replaced = if is(&arguments.weights) {
        Some("the model")
    } else if arguments.input.as_deref().is_some_and(is) {
        Some("the input")
    } else {
        None
    };
    if let Some(what) = replaced {
        return Err(Failure::new(
            Code::Usage,
            format!("--output {} would replace {what}: choose another file", path.display()),
        ));
    }
    OutputFile::prepare(path)
}

fn wrong(report: &MatmulReport) -> Failure {
    let nmse = report.nmse.unwrap_or(f64::NAN);
    let cause = if report.not_finite > 0 {
        "the result has values that are not finite: look at the scales of the weights"
    } else if report.input_rows * report.weight_rows < FEW {
        "of so few values it means little: use more rows of input"
    } else {
        "compare with --sail soft, and report this card or driver"
    };
    Failure::new(
        Code::Wrong,
        format!(
            "the result of Sail {} is not verified: NMSE {nmse:.1e} against f64, at most \
             {MOST_NMSE:.0e} is right; {cause}",
            report.sail
        ),
    )
}
