// SPDX-License-Identifier: Apache-2.0
//! Upstream's `llama-debug` prints what an evaluation computes: of each product
//! the numbers in its corners.

use super::agreement::Bounds;
use super::TENSORS;
use crate::test::llama::programs::{Programs, Said};

/// Of the first, which has the same activations with the Sail and without.
const FIRST: Bounds = Bounds { nmse: 1e-8, scale: 1e-4 };
/// Of all, whose activations come from products before them.
const ALL: Bounds = Bounds { nmse: 2e-4, scale: 2e-3 };

/// Products by themselves: how large they are is not to be seen in the logits,
/// because the model normalises each of them.
pub(super) fn products(programs: &Programs) -> Result<(), String> {
    let mut words = super::words()?;
    words.extend(["--no-warmup", "--verbose"].map(str::to_owned));
    let expected = printed(&programs.without("llama-debug", &words)?);
    let said = programs.offloading("llama-debug", &words)?;
    said.expect_all_offloaded(1)?;
    let given = printed(&said);
    let mut pairs = Vec::new();
    for given in given.iter().filter(|product| product.is_on_the_sail) {
        let expected = expected.iter().find(|product| product.weights == given.weights);
        let expected = expected.filter(|product| product.corners.len() == given.corners.len());
        let expected = expected.ok_or_else(|| format!("{} is not the CPU's", given.weights))?;
        pairs.push(expected.corners.iter().copied().zip(given.corners.iter().copied()));
    }
    if pairs.len() != TENSORS {
        return Err(format!("{} products are the Sail's, and not {TENSORS}", pairs.len()));
    }
    FIRST.hold("the first product's corners", &pairs[0].clone().collect())?;
    ALL.hold("all products' corners", &pairs.into_iter().flatten().collect())?;

    // A card that is not there is told of, and the program computes without it.
    let said = programs.without_its_card("llama-debug", &words)?;
    said.expect("no Sail is used: the CPU computes all")?;
    if printed(&said) != expected {
        return Err("the CPU computes something else when a card is missing".to_owned());
    }
    Ok(())
}

#[derive(PartialEq)]
struct Product {
    weights: String,
    is_on_the_sail: bool,
    corners: Vec<f32>,
}

/// What the program has printed of products, in the order of their computation.
fn printed(said: &Said) -> Vec<Product> {
    said.split("common_debug_cb_eval: ").filter_map(product).collect()
}

/// A product from a node that is printed as
///
/// ```text
/// NAME = (f32) MUL_MAT(WEIGHTS{SHAPE}, ACTIVATIONS{SHAPE}}) = {SHAPE}
///   [ … 1.0000, …, 2.0000 … ]
///   sum = 3.000000
/// ```
///
/// with `Sail0#` before the activations if ggml has copied them there.
fn product(node: &str) -> Option<Product> {
    let (head, numbers) = node.split_once('\n')?;
    let (_, operands) = head.split_once("MUL_MAT(")?;
    let (weights, activations) = operands.split_once('{')?;
    let (numbers, _) = numbers.split_once("sum =")?;
    let numbers = numbers.split(|c: char| c.is_whitespace() || "[],".contains(c));
    Some(Product {
        weights: weights.to_owned(),
        is_on_the_sail: activations.contains("Sail0#"),
        corners: numbers.filter_map(|number| number.parse().ok()).collect(),
    })
}
