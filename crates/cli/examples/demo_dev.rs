//! dev
#[path = "../src"]
mod x { pub mod demo; }
use x::demo;
use clap::Parser as _;
#[derive(clap::Parser)]
struct A { #[command(flatten)] d: demo::DemoArgs, #[arg(long)] json: bool }
#[tokio::main]
async fn main() -> anyhow::Result<std::process::ExitCode> { let a = A::parse(); demo::run(a.d, a.json).await }
