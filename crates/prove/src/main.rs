//! `convenant-prove FILE…` proves the rules of each covenant; `convenant-prove --old FILE --new FILE`
//! compares two versions of one. Exit codes: 0 proven, 1 not proven, 2 the command line or a file is not
//! as it should be.

use std::{error::Error, fs, io, iter, process::ExitCode};

use convenant_clauses::Rules;
use convenant_prove::{Prover, Weight, compare, load, prove, tell_changes, tell_proof};

const USAGE: &str = "\
Usage: convenant-prove FILE...
       convenant-prove --old FILE --new FILE

Proves of every rule of a covenant that it cannot err and that it can refuse something, for all
requests. With two versions: finds what one permits and the other refuses, or proves that there is
nothing. Needs the solver cvc5 (on Debian `apt-get install cvc5`); CVC5 names another program.";

/// The outcome, where it is not an error.
type Done = Result<ExitCode, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(&arguments)),
        Err(error) => Err(error.into()),
    };
    done.unwrap_or_else(|error| {
        let causes =
            iter::successors(Some(error.as_ref() as &dyn Error), |error| (*error).source());
        let causes: Vec<_> = causes.map(ToString::to_string).collect();
        told(&mut io::stderr(), &[format!("error: {}", causes.join(": "))]);
        ExitCode::from(2)
    })
}

async fn run(arguments: &[&str]) -> Done {
    match arguments {
        ["--old", old, "--new", new] => {
            let (old, new) = (read(old)?, read(new)?);
            let changes = compare(&mut Prover::start()?, &old, &new).await?;
            told(&mut io::stdout(), &tell_changes(&changes));
            Ok(ExitCode::SUCCESS)
        }
        [] => usage(),
        files if files.iter().any(|file| file.starts_with('-')) => usage(),
        files => prove_each(files).await,
    }
}

async fn prove_each(files: &[&str]) -> Done {
    let mut prover = Prover::start()?;
    let mut proven = true;
    for file in files {
        let proof = prove(&mut prover, &read(file)?).await?;
        told(&mut io::stdout(), &[format!("{file}:")]);
        told(&mut io::stdout(), &tell_proof(&proof));
        proven &= proof.weight() < Weight::Fault;
    }
    Ok(if proven { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(file: &str) -> Result<Rules, Box<dyn Error>> {
    let text =
        fs::read_to_string(file).map_err(|error| format!("`{file}` cannot be read: {error}"))?;
    Ok(load(file, &text)?)
}

fn usage() -> Done {
    told(&mut io::stderr(), &[USAGE.to_owned()]);
    Ok(ExitCode::from(2))
}

/// Prints lines. That nobody reads them is no reason to stop.
fn told(out: &mut dyn io::Write, lines: &[String]) {
    let _ = lines.iter().try_for_each(|line| writeln!(out, "{line}"));
}
