// SPDX-License-Identifier: Apache-2.0
//! `spanker extract`: the weights of one tensor, as a program uploads them.

use crate::arguments::{ExtractArguments, TensorOptions};
use crate::exit::{Code, Failure};
use crate::gguf_file::GgufFile;
use crate::output_file::OutputFile;
use crate::printable::one_line;
use crate::progress::Progress;
use crate::quantity;
use crate::report;
use crate::table::Table;
use serde::Serialize;
use std::fmt;
use std::io::Write;

pub(crate) fn run(arguments: &ExtractArguments) -> Result<(), Failure> {
    let TensorOptions { weights: model_path, tensor: tensor_name } = &arguments.model;
    let output = OutputFile::prepare("--output", &arguments.output, &[(model_path, "the model")])?;
    let model = GgufFile::open(model_path)?;
    let tensor = model.q4k(tensor_name)?;

    let progress = Progress::start(!arguments.json.json);
    progress.stage("reading the weights", tensor.length);
    let mut bytes = room(tensor.length)?;
    model.read(&tensor, &mut bytes, &|bytes| progress.advance(bytes))?;
    progress.stage("writing the weights", 0);
    output.write(|mut file| file.write_all(&bytes))?;
    drop(progress);

    let report = ExtractReport {
        weights: model_path.display().to_string(),
        tensor: tensor_name.clone(),
        tensor_type: "Q4_K",
        weight_rows: tensor.rows,
        k: tensor.k,
        bytes: tensor.length,
        output: arguments.output.display().to_string(),
    };
    report::print(&report, arguments.json.json)
}

/// # Errors
/// If this process cannot have so many bytes.
fn room(length: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| {
        let size = quantity::bytes(length as u64);
        Failure::new(Code::Input, format!("the tensor takes {size} of memory, and there is less"))
    })?;
    bytes.resize(length, 0);
    Ok(bytes)
}

#[derive(Debug, Serialize)]
struct ExtractReport {
    weights: String,
    tensor: String,
    #[serde(rename = "type")]
    tensor_type: &'static str,
    weight_rows: usize,
    k: usize,
    bytes: usize,
    output: String,
}

impl fmt::Display for ExtractReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = format!("{} bytes: rows · k/256 · 144", self.bytes);
        let mut table = Table::default();
        table
            .row([&"tensor", &one_line(&self.tensor)])
            .row([&"type", &self.tensor_type])
            .row([&"rows", &self.weight_rows])
            .row([&"k", &self.k])
            .row([&"size", &size])
            .row([&"written to", &one_line(&self.output)]);
        write!(f, "{table}")
    }
}
