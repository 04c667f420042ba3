//! `convenant project status`: where a project is, what must happen next, by whom and by when.

use convenant_model::{
    Clock as _, Date, ProjectId, Timestamp,
    covenant::Covenant,
    register::{Actor, Duty, Project, ProjectState, RegisterState, Task},
};
use convenant_transport::SystemClock;
use serde::Serialize;

use super::{next, steps::known};
use crate::{exit::usage, lang::Lang, output};

/// Days before a last day from which on it is announced loudly.
const SOON: i32 = 60;

#[derive(Serialize)]
struct Status<'a> {
    project: &'a ProjectId,
    title: Option<&'a str>,
    version: Option<u32>,
    state: ProjectState,
    terms: Days,
    duties: Vec<Duty>,
    warnings: Vec<String>,
}

/// The days of a project that can still be met, or were missed.
#[derive(Default, Serialize)]
struct Days {
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Date>,
    /// With the longest extension, where that is later (S11).
    #[serde(skip_serializing_if = "Option::is_none")]
    longest: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feedback: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destruction: Option<Date>,
}

impl Days {
    /// Those of a project that is over are the ones by which something of it is still to be done.
    fn of(project: &Project, covenant: &Covenant, duties: &[Duty], at: Timestamp) -> Self {
        let Some(terms) = project.terms(covenant) else { return Self::default() };
        let due = |task, day| duties.iter().any(|duty| duty.task == task).then_some(day);
        let ahead = |day| (!project.ended_at(at)).then_some(day);
        Self {
            first: ahead(terms.first),
            last: ahead(terms.last),
            longest: ahead(terms.longest).filter(|longest| *longest > terms.last),
            feedback: due(Task::Feedback, terms.feedback),
            destruction: due(Task::Destroy, terms.destruction),
        }
    }
}

/// Tells of one project, or of all.
pub(super) fn status(
    state: &RegisterState,
    only: Option<&ProjectId>,
    (lang, place): (Lang, &str),
    json: bool,
) -> anyhow::Result<()> {
    let covenant = state.covenant().map(|one| &one.covenant);
    let covenant = covenant.ok_or_else(|| usage("the register holds no covenant yet"))?;
    let at = SystemClock.now();
    let told: Vec<_> = match only {
        Some(id) => vec![Status::of(id, known(state, id)?, covenant, at, lang)],
        None => state.projects().map(|(id, one)| Status::of(id, one, covenant, at, lang)).collect(),
    };
    if json {
        return output::json(&told);
    }
    for (i, one) in told.iter().enumerate() {
        if i > 0 {
            output::line("")?;
        }
        one.print(state, at.date(), (lang, place))?;
    }
    Ok(())
}

impl<'a> Status<'a> {
    fn of(
        id: &'a ProjectId,
        project: &'a Project,
        covenant: &Covenant,
        at: Timestamp,
        lang: Lang,
    ) -> Self {
        let latest = project.latest().map(|(_, latest)| latest);
        let duties = project.duties(covenant, at);
        let terms = Days::of(project, covenant, &duties, at);
        let mut warnings = Vec::new();
        if !project.ended_at(at) && project.leaves_too_little_time(covenant) {
            let text = lang.of(
                "de resterende tijd is korter dan de bewaartermijnen nodig hebben: wat laat wordt gevraagd, wordt \
                 korter bewaard (L6)",
                "the time left is shorter than the retention granted: what is asked late is kept for less (L6)",
            );
            warnings.push(text.to_owned());
        }
        let left = terms.last.map(|last| days(last, at.date()));
        if left.is_some_and(|left| (0..=SOON).contains(&left)) {
            let text = match terms.longest {
                Some(_) => lang.of(
                    "de laatste dag nadert; verlengen kan alleen daarvoor (S11)",
                    "the last day comes near; an extension is decided on before it (S11)",
                ),
                None => lang.of("de laatste dag nadert (S11)", "the last day comes near (S11)"),
            };
            warnings.push(text.to_owned());
        }
        Self {
            project: id,
            title: latest.map(|latest| latest.title.as_str()),
            version: latest.map(|latest| latest.version),
            state: project.state_at(at),
            terms,
            duties,
            warnings,
        }
    }

    fn print(
        &self,
        register: &RegisterState,
        today: Date,
        (lang, place): (Lang, &str),
    ) -> anyhow::Result<()> {
        let title = output::shown(self.title.unwrap_or_default());
        let version = self.version.unwrap_or_default();
        let v = lang.of("versie", "version");
        output::line(&format!(
            "{}  {}  {title} ({v} {version})",
            self.project,
            self.state.as_str()
        ))?;
        print_terms(&self.terms, today, lang)?;
        for duty in &self.duties {
            output::line(&line(duty, register, today, lang))?;
            output::line(&format!("      {}", next::begin(duty, self.project, place)))?;
        }
        let none = lang.of("er is niets meer te doen", "there is nothing left to do");
        if self.duties.is_empty() {
            output::line(&format!("  {none}"))?;
        }
        let warning = lang.of("let op", "note");
        self.warnings.iter().try_for_each(|one| output::line(&format!("  {warning}: {one}")))
    }
}

fn print_terms(terms: &Days, today: Date, lang: Lang) -> anyhow::Result<()> {
    let rows = [
        (lang.of("vragen kan van", "asks from"), terms.first),
        (lang.of("tot en met", "until"), terms.last),
        (lang.of("te verlengen tot en met", "can be extended until"), terms.longest),
        (lang.of("terugkoppelen uiterlijk", "feedback by"), terms.feedback),
        (lang.of("alles vernietigd uiterlijk", "everything destroyed by"), terms.destruction),
    ];
    let rows = rows.into_iter().filter_map(|(what, day)| Some((what, day?)));
    rows.into_iter().try_for_each(|(what, day)| {
        output::line(&format!("  {what:<28} {day}  {}", distance(day, today, lang)))
    })
}

fn days(day: Date, today: Date) -> i32 {
    day.days_since_epoch() - today.days_since_epoch()
}

fn distance(day: Date, today: Date, lang: Lang) -> String {
    match days(day, today) {
        0 => lang.of("vandaag", "today").to_owned(),
        n if n > 0 => format!("{} {}", lang.of("over", "in"), lang.days(n)),
        n => format!("{} {}", lang.days(-n), lang.of("geleden", "ago")),
    }
}

fn line(duty: &Duty, register: &RegisterState, today: Date, lang: Lang) -> String {
    let who = match &duty.who {
        Actor::Lsi => "LSI".to_owned(),
        Actor::Partner(oin) => {
            let name = register.enrolment(oin).map_or("", |one| one.name.as_str());
            format!("{} ({oin})", output::shown(name))
        }
    };
    let what = task(duty.task, lang);
    let due = match duty.days_left(today) {
        None => String::new(),
        Some(left) if left < 0 => format!("  {}", lang.of("TE LAAT", "OVERDUE")),
        Some(left) => format!("  ({})", lang.days(left)),
    };
    format!("  - {who}: {what}{due}")
}

const fn task(task: Task, lang: Lang) -> &'static str {
    let (dutch, english) = match task {
        Task::Attest => ("verklaren (L2)", "attest (L2)"),
        Task::Decide => ("besluiten (S4)", "decide (S4)"),
        Task::Mandate => ("een projectleider aanwijzen (S6)", "name a leader (S6)"),
        Task::Resume => ("hervatten of afsluiten", "resume or close"),
        Task::Feedback => ("over alle treffers terugkoppelen (L6)", "report on every hit (L6)"),
        Task::Destroy => {
            ("alles vernietigen en vastleggen (L6, L8)", "destroy and record (L6, L8)")
        }
        Task::Report => ("het eindrapport schrijven (S13)", "write the final report (S13)"),
        Task::Secure => ("borgen wat is geleerd (S13)", "secure what was learned (S13)"),
    };
    lang.of(dutch, english)
}
