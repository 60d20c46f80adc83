// SPDX-License-Identifier: Apache-2.0
//! `spanker tensors`: what is in a model.

use crate::arguments::TensorsArguments;
use crate::exit::Failure;
use crate::gguf_file::GgufFile;
use crate::palette::{styled, GOOD, HEADING};
use crate::printable::one_line;
use crate::quantity::bytes;
use crate::report;
use crate::table::Table;
use serde::Serialize;
use std::fmt;

pub(crate) fn run(arguments: &TensorsArguments) -> Result<(), Failure> {
    let model = GgufFile::open(&arguments.weights)?;
    let tensors: Vec<Tensor> = model
        .tensors()
        .map(|tensor| Tensor {
            name: tensor.name,
            tensor_type: tensor.type_name,
            shape: tensor.shape,
            bytes: tensor.bytes,
            usable: tensor.problem.is_none(),
            problem: tensor.problem,
        })
        .collect();
    let report = TensorsReport {
        weights: arguments.weights.display().to_string(),
        usable: tensors.iter().filter(|tensor| tensor.usable).count(),
        tensors,
    };
    report::print(&report, arguments.output.json)
}

#[derive(Debug, Serialize)]
struct TensorsReport {
    weights: String,
    usable: usize,
    tensors: Vec<Tensor>,
}

#[derive(Debug, Serialize)]
struct Tensor {
    name: String,
    #[serde(rename = "type")]
    tensor_type: String,
    shape: Vec<u64>,
    bytes: Option<u64>,
    usable: bool,
    problem: Option<&'static str>,
}

impl fmt::Display for TensorsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::default();
        let [usable, kind, shape, size, name] =
            ["usable", "type", "shape", "size", "tensor"].map(|name| styled(HEADING, name));
        table.row([&usable, &kind, &shape, &size, &name]);
        for tensor in &self.tensors {
            let usable = if tensor.usable { styled(GOOD, "yes") } else { "no".to_owned() };
            let shape: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
            let size = tensor.bytes.map_or("-".to_owned(), bytes);
            table.row([
                &usable,
                &tensor.tensor_type,
                &shape.join("×"),
                &size,
                &one_line(&tensor.name),
            ]);
        }
        let all = self.tensors.len();
        writeln!(f, "{table}\n{} of {all} tensors are usable: Q4_K matrices", self.usable)
    }
}
