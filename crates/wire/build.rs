//! Compiles the protobuf with `protox`, so that nobody has to install `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo runs this in the folder of the package. A path from when it was compiled could be another
    // checkout's, where two share a target folder.
    let root = "../../proto";
    println!("cargo::rerun-if-changed={root}");
    let files = protox::compile(["convenant/v1/convenant.proto"], [root])?;
    tonic_prost_build::configure().bytes(".convenant.v1").compile_fds(files)?;
    Ok(())
}
