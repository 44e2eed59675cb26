//! `scrip mall group` and `scrip mall rules`: groups of members, and what holds for open tokens.

use super::{Database, US, member, say};
use crate::cli::api_key::time;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use scrip_domain::mall::{
    MallError, franchise_join, franchise_leave, mall_by_slug, mall_rules_set, members,
};
use scrip_domain::open_token::{
    OpenError, group_by_slug, group_create, group_join, group_leave, group_members, groups,
};
use scrip_engine::{Read, Timestamp};

#[derive(Debug, Subcommand)]
pub enum Group {
    /// Make a group
    Create(Create),
    /// List the groups of a mall, and who belongs to them when
    List(List),
    /// Take a member into a group
    Join(Join),
    /// Let a member leave a group from now on
    Leave(Leave),
}

#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// Short name of the group
    #[arg(long)]
    slug: String,
    /// Name for people
    #[arg(long)]
    name: String,
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
}

#[derive(Debug, Args)]
pub struct Join {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// The group's short name
    #[arg(long)]
    group: String,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// From when on, as 2026-11-01T00:00:00Z; now unless given
    #[arg(long, value_parser = time)]
    from: Option<Timestamp>,
    /// Until when; for ever unless given
    #[arg(long, value_parser = time)]
    until: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub struct Leave {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// The group's short name
    #[arg(long)]
    group: String,
    /// The member's short name
    #[arg(long)]
    vendor: String,
}

#[derive(Debug, Args)]
pub struct Rules {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// True when tokens of several kinds may pay for one thing together
    #[arg(long)]
    combine: Option<bool>,
    /// True when tokens that vendors gave may leave them
    #[arg(long)]
    free_leaves: Option<bool>,
}

#[derive(Debug, Args)]
pub struct Franchise {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// The short name of the parent
    #[arg(long, required_unless_present = "leave")]
    parent: Option<String>,
    /// Let it leave its franchise
    #[arg(long, conflicts_with = "parent")]
    leave: bool,
}

impl Franchise {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let said = node.engine.write(move |tx| {
            let child = member(tx, &self.vendor)?;
            let Some(parent) = &self.parent else {
                franchise_leave(tx, US, &child)?;
                return Ok(format!("{} belongs to no franchise", child.name));
            };
            let parent = member(tx, parent)?;
            franchise_join(tx, US, &parent, &child)?;
            Ok::<_, MallError>(format!(
                "{} belongs to the franchise of {}",
                child.name, parent.name
            ))
        })?;
        say(&said)
    }
}

impl Group {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Group::Create(command) => command.run(),
            Group::List(command) => command.run(),
            Group::Join(command) => command.run(),
            Group::Leave(command) => command.run(),
        }
    }
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let made = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &self.mall)?;
            group_create(tx, US, &mall, (&self.slug, &self.name))
        })?;
        say(&format!(
            "group {} made: `scrip mall group join` takes members in",
            made.slug
        ))
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let lines = self.database.reader()?.read(|tx| {
            let mall = mall_by_slug(tx, &self.mall)?;
            let (named, all) = (members(tx, &mall)?, group_members(tx, &mall)?);
            let mut lines = Vec::new();
            for group in groups(tx, &mall)? {
                lines.push(format!("{:<20} {}", group.slug, group.name));
                for one in all.iter().filter(|m| m.group_no == group.group_no) {
                    let member = named.iter().find(|m| m.book_id == one.member_book);
                    let slug = member.map_or("?", |m| m.slug.as_str());
                    let until = match one.leaves_at {
                        Timestamp::NEVER => String::new(),
                        at => format!(", until {at}"),
                    };
                    lines.push(format!("  {slug:<18} from {}{until}", one.joins_at));
                }
            }
            Ok::<_, OpenError>(lines)
        })?;
        if lines.is_empty() {
            return say("no groups yet: `scrip mall group create` makes one");
        }
        lines.iter().try_for_each(|line| say(line))
    }
}

impl Join {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (joined, group) = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &self.mall)?;
            let group = group_by_slug(tx, &mall, &self.group)?;
            let member = member(tx, &self.vendor)?;
            let from = self.from.unwrap_or(tx.now());
            let span = (from, self.until.unwrap_or(Timestamp::NEVER));
            group_join(tx, US, (&mall, &group), &member, span)?;
            Ok::<_, OpenError>((member.name, group.name))
        })?;
        say(&format!("{joined} belongs to {group}"))
    }
}

impl Leave {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (left, group) = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &self.mall)?;
            let group = group_by_slug(tx, &mall, &self.group)?;
            let member = member(tx, &self.vendor)?;
            group_leave(tx, US, (&mall, &group), &member)?;
            Ok::<_, OpenError>((member.name, group.name))
        })?;
        say(&format!(
            "{left} has left {group}: its group tokens pay nowhere in it"
        ))
    }
}

impl Rules {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (combines, leaves) = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &self.mall)?;
            let combines = self.combine.unwrap_or(mall.combines);
            let leaves = self.free_leaves.unwrap_or(mall.free_leaves);
            mall_rules_set(tx, US, &mall, (combines, leaves))?;
            Ok::<_, MallError>((combines, leaves))
        })?;
        let word = |yes| if yes { "may" } else { "may not" };
        say(&format!(
            "tokens of several kinds {} pay for one thing together; tokens that vendors gave {} \
             leave them",
            word(combines),
            word(leaves)
        ))
    }
}
