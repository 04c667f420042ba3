//! One scenario on its stage: a federation of real daemons, the project leader's client, and what is asked of it.

use std::{fs, path::Path};

use convenant_audit::Report;
use convenant_client::{
    Client,
    compose::{Composed, Question, TargetQuestion},
};
use convenant_demo::{Federation, FederationSpec, Ports, ProjectSpec, SignedDocument};
use convenant_exchange::Kept;
use convenant_model::{
    Clock as _, DatasetId, FieldName, GoalId, ProjectId, QueryId,
    documents::{Closure, tag},
    query::QueryKind,
};
use convenant_signing::SystemRandom;
use convenant_testkit::{Fallible, Told, World, today, told};

use super::{
    asking::{Row, by_field},
    data::Holder,
    project::text,
};
use crate::{
    replay::replay,
    support::{Attempt, Results, attempt},
};

/// A federation with a project that may ask.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) client: Client,
    nodes: Vec<&'static str>,
    project: ProjectId,
    goal: GoalId,
}

/// An answer with what vouches for it, where that was asked for.
pub(super) struct Answer {
    pub(super) query: QueryId,
    pub(super) rows: Vec<Row>,
    pub(super) kept: Option<Kept>,
    pub(super) alarm: bool,
}

impl Stage {
    /// Starts the daemons, and takes a project through proposal, attestations, decision and mandate. On the way
    /// nothing is exchanged, and the LSI cannot decide without everybody's papers. The leader works for the first
    /// of the partners.
    pub(super) async fn set(
        holders: &[Holder],
        project: impl FnOnce(&Federation) -> ProjectSpec,
    ) -> Self {
        let mut world = World::found(|dir, ports| write(dir, ports, holders)).await.unwrap();
        let nodes: Vec<_> = holders.iter().filter(|one| !one.rows.is_empty()).collect();
        let nodes: Vec<_> = nodes.into_iter().map(|one| one.party.name).collect();
        for name in &nodes {
            world.start_node(name).await.unwrap();
        }
        let spec = project(&world.federation);
        let documents = world.federation.project_documents(&spec).unwrap();
        let is = |name: &str| documents.iter().position(|one| one.name.starts_with(name)).unwrap();
        let (decision, mandate) = (is("decision"), is("mandate"));
        world.submit(&documents[0]).await.unwrap();
        let early = world.submit(&documents[decision]).await.unwrap_err().to_string();
        for clause in ["clause L2", "is no attestation"] {
            assert!(early.contains(clause), "{early}");
        }
        for document in &documents[1..=decision] {
            world.submit(document).await.unwrap();
        }
        let client = world.client().await.unwrap();
        let proposal = &spec.proposal;
        let goal = proposal.goals.first().unwrap().clone();
        let stage = Self { world, client, nodes, project: proposal.project.clone(), goal };
        let annex = &proposal.annex[0];
        let provider = stage.world.federation.partners.iter().find(|one| one.oin == annex.provider);
        let asked = stage.ask(&provider.unwrap().name, annex.dataset.as_str(), &[]);
        let told = stage.refused(QueryKind::Lookup, asked).await;
        assert!(told.node.contains(&"S6/MANDAAT".to_owned()), "{told:?}");
        stage.world.submit(&documents[mandate]).await.unwrap();
        stage.client.refresh().await.unwrap();
        stage
    }

    /// What is asked of a partner's dataset.
    pub(super) fn ask(&self, partner: &str, dataset: &str, fields: &[&str]) -> TargetQuestion {
        TargetQuestion {
            partner: self.world.partner(partner).unwrap().oin.clone(),
            dataset: DatasetId::new(dataset).unwrap(),
            fields: fields.iter().map(|name| FieldName::new(*name).unwrap()).collect(),
            predicate: None,
            subjects: None,
            vouch: None,
        }
    }

    /// The query as the leader signs it.
    pub(super) fn compose(&self, kind: QueryKind, asked: TargetQuestion) -> Composed {
        self.compose_in(self.project.as_str(), kind, asked)
    }

    /// The same in another project with the same goal.
    pub(super) fn compose_in(
        &self,
        project: &str,
        kind: QueryKind,
        asked: TargetQuestion,
    ) -> Composed {
        let question = Question {
            project: ProjectId::new(project).unwrap(),
            kind,
            targets: vec![asked],
            goal: Some(self.goal.clone()),
            retention_days: Some(30),
            justification: text("Volgens het plan van aanpak"),
            delayed_disclosure: None,
            minutes: 10,
        };
        self.client.compose_anything(question).unwrap()
    }

    /// The answer, which must be given.
    pub(super) async fn answered(&self, kind: QueryKind, asked: TargetQuestion) -> Answer {
        let composed = self.compose(kind, asked);
        let results = Results::of(&self.world, &composed.query.id.to_string());
        let sent = results.ask(&self.client, &composed).await;
        assert_eq!(told(&sent), ["answered"], "{sent:?}");
        let sent = sent.unwrap().remove(0);
        let kept = sent.vouchers.map(|file| Kept::read(&fs::read(file.path).unwrap()).unwrap());
        Answer {
            query: composed.query.id,
            rows: by_field(&results.path(0)),
            kept,
            alarm: sent.alarm,
        }
    }

    /// What coordinator and node say, where neither answers.
    pub(super) async fn refused(&self, kind: QueryKind, asked: TargetQuestion) -> Attempt {
        attempt(&self.world, &self.client, &self.compose(kind, asked)).await
    }

    /// The same in another project.
    pub(super) async fn refused_in(
        &self,
        project: &str,
        kind: QueryKind,
        asked: TargetQuestion,
    ) -> Attempt {
        attempt(&self.world, &self.client, &self.compose_in(project, kind, asked)).await
    }

    /// What comes of a query that the coordinator cannot judge, because only the node unseals its subjects.
    pub(super) async fn told(&self, kind: QueryKind, asked: TargetQuestion) -> Told {
        self.sent(&self.compose(kind, asked)).await
    }

    /// The same of a query as somebody made it.
    pub(super) async fn sent(&self, composed: &Composed) -> Told {
        let results = Results::of(&self.world, &composed.query.id.to_string());
        let told = told(&results.ask(&self.client, composed).await);
        assert_eq!(results.are_empty(), told != ["answered"], "{told:?}");
        told
    }

    /// Closes the project: from then on it asks nothing. Then stops everything, and audits what is left.
    pub(super) async fn close(mut self, asked: TargetQuestion) -> Report {
        let closure = Closure {
            document: tag::Closure::Closure,
            project: self.project.clone(),
            from: self.world.clock.now(),
            reason: text("Het onderzoek is klaar"),
        };
        let state = self.client.register();
        let project = state.register().state().project(&self.project).unwrap();
        let responsible = project.decided().unwrap().proposal.responsible.clone();
        let mut partners = self.world.federation.partners.iter();
        let responsible = partners.find(|one| one.oin == responsible).unwrap();
        let signed = SignedDocument::new("closure", &closure, [&responsible.keys.signing]);
        self.world.submit(&signed.unwrap()).await.unwrap();
        self.client.refresh().await.unwrap();
        let told = self.refused(QueryKind::Lookup, asked).await;
        assert!(told.node.contains(&"S10/VERLOPEN".to_owned()), "{told:?}");
        assert_eq!(told.coordinator, told.node);
        self.client.close().await;
        self.world.shut_down().await.unwrap();
        let report = replay(&self.world, &self.nodes);
        assert!(report.holds(), "{report}");
        report
    }
}

fn write(dir: &Path, ports: Ports, holders: &[Holder]) -> Fallible<Federation> {
    let mut spec = FederationSpec::new(today()?, holders[0].party.name);
    spec.ports = ports;
    let covenant = spec.covenant()?;
    spec.partners = holders.iter().map(|holder| holder.spec(&covenant)).collect();
    let federation = Federation::build(dir, spec, &SystemRandom::new())?;
    for holder in holders {
        holder.write(&federation.partner(holder.party.name).ok_or("no such partner")?.dir);
    }
    Ok(federation)
}
