// SPDX-License-Identifier: Apache-2.0
//! An array of numbers read from what a compiler made, without running it.

use object::{Endianness, Object, ObjectSection, ObjectSymbol};
use std::fs;
use std::path::Path;

/// The 64-bit numbers, so many, of the array with this symbol. What is behind them
/// is passed over: sanitizers pad what they watch.
///
/// # Errors
/// The file is no object, or has no such array.
pub fn numbers(path: &Path, symbol: &str, count: usize) -> Result<Vec<u64>, String> {
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    read(&bytes, symbol, count).map_err(|what| format!("{}: {what}", path.display()))
}

fn read(bytes: &[u8], symbol: &str, count: usize) -> Result<Vec<u64>, String> {
    let file = object::File::parse(bytes).map_err(|e| e.to_string())?;
    let found = file.symbols().find(|s| s.name() == Ok(symbol) && s.is_definition());
    let found = found.ok_or_else(|| format!("no symbol {symbol}"))?;
    let index = found.section_index().ok_or_else(|| format!("{symbol} is in no section"))?;
    let section = file.section_by_index(index).map_err(|e| e.to_string())?;
    let size = count as u64 * 8;
    if found.size() < size {
        return Err(format!("{symbol} has {} bytes and not {size}", found.size()));
    }
    let data = section
        .data_range(found.address(), size)
        .map_err(|e| e.to_string())?
        .ok_or_else(|| format!("{symbol} is not in its section"))?;
    let number = |bytes: &[u8]| -> Option<u64> {
        let bytes = bytes.try_into().ok()?;
        Some(match file.endianness() {
            Endianness::Little => u64::from_le_bytes(bytes),
            Endianness::Big => u64::from_be_bytes(bytes),
        })
    };
    let numbers = data.chunks(8).map(number).collect::<Option<Vec<_>>>();
    numbers.ok_or_else(|| format!("{symbol} is not of 64-bit numbers"))
}
