// SPDX-License-Identifier: Apache-2.0
//! `spanker matmul`: activations times the weights of a model.

mod report;
mod room;

use crate::arguments::{MatmulArguments, TensorOptions};
use crate::chosen_sail::ChosenSail;
use crate::exit::{Code, Failure};
use crate::gguf_file::{GgufFile, Q4KTensor};
use crate::layer;
use crate::npy_file::{write_npy, F32Matrix, NpyInput};
use crate::output_file::OutputFile;
use crate::progress::Progress;
use crate::quantity::{gflops, ms};
use crate::random::Random;
use crate::recorded::{self, MaybeRecorded};
use crate::reference::{compare, MOST_NMSE};
use crate::stopwatch::Stopwatch;
use report::MatmulReport;
use spanker::{Matmul, Matrix, Sail, F32, Q4K};
use std::time::Duration;

/// Results of which one that is near 0 by chance makes an NMSE large.
const FEW: usize = 64;

pub(crate) fn run(arguments: &MatmulArguments) -> Result<(), Failure> {
    let ChosenSail { sail, name } =
        ChosenSail::open(arguments.sail.name.as_ref(), arguments.threads.count)?;
    let TensorOptions { weights: model_path, tensor: tensor_name } = &arguments.model;
    let mut inputs = vec![(model_path.as_path(), "the model")];
    inputs.extend(arguments.input.as_deref().map(|input| (input, "the input")));
    let output = match &arguments.output {
        Some(path) => Some(OutputFile::prepare("--output", path, &inputs)?),
        None => None,
    };
    inputs.extend(arguments.output.as_deref().map(|output| (output, "the output")));
    let record = recorded::prepare(arguments.record.path.as_deref(), &inputs)?;

    let model = GgufFile::open(model_path)?;
    let tensor = model.q4k(tensor_name)?;
    let source = Source::open(arguments, &tensor)?;
    let shape = [source.rows(), tensor.rows, tensor.k];
    room::require(sail.info(), shape, tensor.length)?;

    let node = sail.path().map(|path| path.display().to_string());
    let card = sail.info().name.clone();
    let progress = Progress::start(!arguments.json.json);
    let sail = MaybeRecorded::begin(sail, record)?;
    let product = multiply(&sail, &model, &tensor, source, &progress);
    let Product { x, weights, result, read, upload, compute, download } = sail.finish(product)?;

    if let Some(output) = output {
        progress.stage("writing the results", 0);
        output.write(|file| write_npy(file, &result))?;
    }
    let mut agreement = None;
    let mut verify = Duration::ZERO;
    if arguments.verify {
        progress.stage("the same in f64", tensor.rows);
        let mut clock = Stopwatch::start();
        let done = |rows| progress.advance(rows);
        let weights = weights.view()?;
        agreement = Some(compare(weights.bytes(), &x.values, x.cols, &result.values, &done));
        verify = clock.lap();
    }
    drop(progress);

    let is_random = arguments.input.is_none();
    let report = MatmulReport {
        sail: name.to_string(),
        node,
        card,
        threads: arguments.threads.count,
        weights: model_path.display().to_string(),
        tensor: tensor_name.clone(),
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
        record: arguments.record.path.as_ref().map(|path| path.display().to_string()),
    };
    crate::report::print(&report, arguments.json.json)?;
    match report.verified {
        Some(false) => Err(wrong(&report)),
        _ => Ok(()),
    }
}

/// What the Sail has done, and how long each step took.
struct Product {
    x: F32Matrix,
    weights: Matrix<Q4K>,
    result: F32Matrix,
    read: Duration,
    upload: Duration,
    compute: Duration,
    download: Duration,
}

fn multiply(
    sail: &Sail,
    model: &GgufFile,
    tensor: &Q4KTensor,
    source: Source,
    progress: &Progress,
) -> Result<Product, Failure> {
    let mut clock = Stopwatch::start();
    let mut weights = sail.matrix::<Q4K>(tensor.rows, tensor.k)?;
    progress.stage("reading the weights", tensor.length);
    model.read(tensor, weights.view_mut()?.bytes_mut(), &|bytes| progress.advance(bytes))?;
    progress.stage("reading x", 0);
    let x = source.read(tensor.k)?;
    let read = clock.lap();

    let a = sail.upload::<F32>(x.rows, x.cols, &x.values)?;
    let out = sail.matrix::<F32>(x.rows, tensor.rows)?;
    progress.stage("multiplying", 0);
    let upload = clock.lap();
    let out = sail.submit(Matmul::new(&a, &weights, out))?.wait()?;
    let compute = clock.lap();
    let result = F32Matrix { rows: x.rows, cols: tensor.rows, values: out.to_vec()? };
    let download = clock.lap();
    Ok(Product { x, weights, result, read, upload, compute, download })
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
                    arguments.model.tensor,
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
