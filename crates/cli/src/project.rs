//! `convenant project`: a project from idea to securing, each step a document in the format that it must have.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use convenant_model::{Date, Oin, ProjectId, ThemeId, register::RegisterState};

use crate::{
    args::ConfigFile,
    exit::{Exit, usage},
    lang::Lang,
    names::unknown,
    output,
    register::{self, Source},
    sign,
};

mod check;
mod format;
mod forms;
mod help;
mod next;
mod report;
mod status;
mod steps;
mod template;
mod tried;
mod wanted;

pub(crate) use steps::write;

use report::Form;
use steps::{DecisionArgs, ExtensionArgs, MandateArgs, Out, SecuringArgs, Written};

#[derive(Debug, Subcommand)]
#[command(after_help = help::LIFE)]
pub(crate) enum ProjectCommand {
    /// Write a proposal to fill in, every field explained.
    #[command(after_help = help::NEW)]
    New(NewArgs),
    /// Say everything that keeps a document from the register, at once.
    #[command(after_help = help::CHECK)]
    Check(CheckArgs),
    /// Check a document, and sign it if nothing is wrong with it.
    Sign {
        #[command(flatten)]
        sign: sign::SignArgs,
        #[command(flatten)]
        config: ConfigFile,
        /// Language of what is said.
        #[arg(long, value_enum, default_value_t)]
        lang: Lang,
    },
    /// Try signed documents on a copy of the register, and submit them if all are admitted.
    Submit {
        /// Signed documents (JWS), in this order.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        config: ConfigFile,
        /// Language of what is said.
        #[arg(long, value_enum, default_value_t)]
        lang: Lang,
    },
    /// Tell where projects are, what must happen next, by whom and by when.
    #[command(after_help = help::STATUS)]
    Status {
        /// The project [default: all].
        project: Option<ProjectId>,
        #[command(flatten)]
        register: Register,
    },
    /// Write an attestation to fill in: what a participant tested and made before the LSI decides.
    Attest(OfPartner),
    /// Write the LSI's decision on the latest version of a proposal.
    Decide {
        #[command(flatten)]
        decision: DecisionArgs,
        #[command(flatten)]
        register: Register,
    },
    /// Write a mandate: who leads the project, and who works on it.
    #[command(after_help = help::MANDATE)]
    Mandate {
        #[command(flatten)]
        mandate: MandateArgs,
        #[command(flatten)]
        register: Register,
    },
    /// Write an extension: a later last day, decided on before the last day so far.
    Extend {
        #[command(flatten)]
        extension: ExtensionArgs,
        #[command(flatten)]
        register: Register,
    },
    /// Write a suspension of a project, or of what one partner provides in it.
    #[command(after_help = help::SUSPEND)]
    Suspend(OfAll),
    /// Write the end of a suspension.
    #[command(after_help = help::RESUME)]
    Resume {
        /// The signed suspension.
        #[arg(long, value_name = "FILE")]
        suspension: PathBuf,
        #[command(flatten)]
        written: Written,
    },
    /// Write a withdrawal of a project that does not run yet, or of one participant from it.
    #[command(after_help = help::WITHDRAW)]
    Withdraw(OfAll),
    /// Write a closure: the project asks nothing more.
    Close {
        /// The project.
        project: ProjectId,
        #[command(flatten)]
        written: Written,
    },
    /// Write feedback on hits to fill in.
    Feedback(OfPartner),
    /// Write the final report to fill in.
    Conclude {
        /// The project.
        project: ProjectId,
        #[command(flatten)]
        register: Register,
        #[command(flatten)]
        out: Out,
    },
    /// Write how what was learned is secured: the last step.
    Secure(SecuringArgs),
    /// Write a summary of a project for everybody, without personal data.
    #[command(after_help = help::REPORT)]
    Report {
        /// The project.
        project: ProjectId,
        /// Markdown, or one page of HTML.
        #[arg(long, value_enum, default_value = "md")]
        form: Form,
        /// File, which must not exist [default: stdout].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        register: Register,
    },
}

/// The register, and the language in which things are said of it.
#[derive(Args, Debug)]
pub(crate) struct Register {
    #[command(flatten)]
    source: Source,
    /// Language of what is said.
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
}

#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// Id of the project, for instance `P-2026-001`.
    project: ProjectId,
    /// Theme of the covenant.
    #[arg(long)]
    theme: ThemeId,
    /// OIN of the partner that proposes and is responsible.
    #[arg(long, value_name = "OIN")]
    proposer: Oin,
    /// OINs of the other participants.
    #[arg(long, value_name = "OIN", num_args = 1..)]
    with: Vec<Oin>,
    /// First day [default: in thirty days].
    #[arg(long, value_name = "DATE")]
    start: Option<Date>,
    #[command(flatten)]
    register: Register,
    #[command(flatten)]
    out: Out,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The document, as written (TOML) or as signed (JWS).
    file: PathBuf,
    #[command(flatten)]
    register: Register,
}

/// A document of the whole project, or of one partner in it.
#[derive(Args, Debug)]
pub(crate) struct OfAll {
    /// The project.
    project: ProjectId,
    /// The partner that it is about [default: the whole project].
    #[arg(long, value_name = "OIN")]
    partner: Option<Oin>,
    #[command(flatten)]
    written: Written,
}

/// A document of one partner.
#[derive(Args, Debug)]
pub(crate) struct OfPartner {
    /// The project.
    project: ProjectId,
    /// The partner that signs it.
    #[arg(long, value_name = "OIN")]
    partner: Oin,
    #[command(flatten)]
    register: Register,
    #[command(flatten)]
    out: Out,
}

pub(crate) async fn run(command: ProjectCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        ProjectCommand::New(args) => new(args, json).await?,
        ProjectCommand::Check(args) => {
            let (register, lang) = (args.register.source.open().await?, args.register.lang);
            check::check(&args.file, register.state(), lang)?.report(lang, json)?;
        }
        ProjectCommand::Sign { sign, config, lang } => {
            let opened = register::follow(&config.config).await?;
            let checked = check::check(sign.file(), opened.state(), lang)?;
            if !checked.faults.is_empty() {
                checked.report(lang, json)?;
            }
            wanted::counts(&sign, opened.state(), lang)?;
            return sign::run(&sign, json);
        }
        ProjectCommand::Submit { files, config, lang } => {
            // Each is tried on the register as the ones before it would leave it: all are sent, or none.
            let try_all = |state: &RegisterState| {
                let mut state = state.clone();
                files.iter().try_for_each(|file| check::admit(file, &mut state, lang))
            };
            register::submit_if(&files, &config.config, json, try_all).await?;
        }
        ProjectCommand::Status { project, register } => {
            let opened = register.source.open().await?;
            let place = register.source.options();
            status::status(opened.state(), project.as_ref(), (register.lang, &place), json)?;
        }
        ProjectCommand::Attest(args) => of_partner(args, forms::attestation, json).await?,
        ProjectCommand::Feedback(args) => of_partner(args, forms::feedback, json).await?,
        ProjectCommand::Decide { decision, register } => {
            let (opened, config) = (register.source.open().await?, register.source.config());
            steps::decide(opened.state(), decision, config, json)?;
        }
        ProjectCommand::Mandate { mandate, register } => {
            let (opened, config) = (register.source.open().await?, register.source.config());
            steps::mandate(opened.state(), mandate, (config, register.lang), json)?;
        }
        ProjectCommand::Extend { extension, register } => {
            let (opened, config) = (register.source.open().await?, register.source.config());
            steps::extend(opened.state(), extension, (config, register.lang), json)?;
        }
        ProjectCommand::Suspend(OfAll { project, partner, written }) => {
            steps::suspend(project, partner, &written, json).await?;
        }
        ProjectCommand::Resume { suspension, written } => {
            steps::resume(&suspension, &written, json).await?;
        }
        ProjectCommand::Withdraw(OfAll { project, partner, written }) => {
            steps::withdraw(project, partner, &written, json).await?;
        }
        ProjectCommand::Close { project, written } => {
            steps::close(project, &written, json).await?;
        }
        ProjectCommand::Conclude { project, register, out } => {
            let opened = register.source.open().await?;
            let text = forms::final_report(opened.state(), &project)?;
            form(&out, &text, register.source.config(), json)?;
        }
        ProjectCommand::Secure(args) => steps::secure(args, json).await?,
        ProjectCommand::Report { project, form, out, register } => {
            let opened = register.source.open().await?;
            let text = report::report(opened.state(), &project, form, register.lang)?;
            publish(out.as_deref(), &text)?;
        }
    }
    Ok(Exit::Done.into())
}

async fn new(args: NewArgs, json: bool) -> anyhow::Result<()> {
    let opened = args.register.source.open().await?;
    let state = opened.state();
    let covenant = state.covenant().map(|one| &one.covenant);
    let covenant = covenant.ok_or_else(|| usage("the register holds no covenant yet"))?;
    if !covenant.text().theme.iter().any(|theme| theme.id == args.theme) {
        let themes = covenant.text().theme.iter().map(|one| one.id.as_str());
        return Err(unknown("`--theme`: the covenant has no theme", args.theme.as_str(), themes));
    }
    let proposer = ("--proposer", &args.proposer);
    for (option, oin) in [proposer].into_iter().chain(args.with.iter().map(|oin| ("--with", oin))) {
        if state.enrolment(oin).is_none() {
            let known = state.enrolments().map(|one| one.partner.as_str());
            let place = format!("`{option}`: the register (clause S1) enrols no");
            return Err(unknown(&place, oin.as_str(), known));
        }
    }
    let outline = template::Outline {
        state,
        covenant,
        project: &args.project,
        theme: &args.theme,
        proposer: &args.proposer,
        participants: &args.with,
        start: args.start.unwrap_or_else(|| steps::today().plus_days(30)),
        lang: args.register.lang,
    };
    form(&args.out, &outline.text(), args.register.source.config(), json)
}

type Fill = fn(&RegisterState, &ProjectId, &Oin) -> anyhow::Result<String>;

async fn of_partner(args: OfPartner, fill: Fill, json: bool) -> anyhow::Result<()> {
    let opened = args.register.source.open().await?;
    let text = fill(opened.state(), &args.project, &args.partner)?;
    form(&args.out, &text, args.register.source.config(), json)
}

/// Writes a document that a person fills in.
fn form(out: &Out, text: &str, config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    out.write_text(text)?;
    let name = out.name();
    next::fill_in(Path::new(&name), config);
    if json { output::json(&serde_json::json!({ "file": name })) } else { output::line(&name) }
}

fn publish(out: Option<&Path>, text: &str) -> anyhow::Result<()> {
    let Some(path) = out else { return output::raw(text.as_bytes()) };
    steps::write_new(path, text)?;
    output::line(&path.display().to_string())
}
