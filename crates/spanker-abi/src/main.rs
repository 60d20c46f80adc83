// SPDX-License-Identifier: Apache-2.0
//! The command `spanker-abi`.
use spanker_abi::{header::Header, Target};
fn main() {
    let t = std::time::Instant::now();
    let mut args = std::env::args().skip(1);
    let h = Header::new(args.next().unwrap());
    let targets: Vec<_> = args.map(|a| Target::named(&a).unwrap()).collect();
    let targets = if targets.is_empty() { Target::defaults() } else { targets };
    match h.read(&targets) {
        Ok(r) => {
            let t = spanker_abi::snapshot::write(&r.abi);
            assert_eq!(spanker_abi::snapshot::read(&t).unwrap(), r.abi);
            println!("{t}")
        }
        Err(e) => println!("{e}"),
    }
    eprintln!("{:?}", t.elapsed());
}
