//! The names of nodes, and what stands for several: ranges, groups, `all`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use base::NodeId;

use crate::Plan;
use crate::diagnostic::Report;
use crate::grammar::nearest;
use crate::read::Text;

/// The names of a network's nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    by_name: BTreeMap<String, NodeId>,
    /// The nodes of each group that has a name.
    groups: BTreeMap<String, Range<usize>>,
    /// First and last of each run of names, for messages.
    runs: Vec<(String, String)>,
    count: usize,
    /// Whether the network could not be read: then no name is known, and none is called unknown.
    pub(crate) broken: bool,
}

impl Names {
    /// The names of a plan's nodes, and of its groups.
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut names = Self {
            groups: plan.groups.iter().cloned().collect(),
            count: plan.nodes.len(),
            ..Self::default()
        };
        for (place, node) in plan.nodes.iter().enumerate() {
            names.by_name.insert(node.name.clone(), NodeId::at(place));
            match names.runs.last_mut() {
                Some((_, last)) if follows(last, &node.name) => last.clone_from(&node.name),
                Some(_) | None => names.runs.push((node.name.clone(), node.name.clone())),
            }
        }
        names
    }

    /// Adds nodes with one stem: `n` and 3 give `n3`, the first number being `from`.
    ///
    /// The first name that is taken already stops it.
    pub(crate) fn add(&mut self, stem: &str, numbers: Range<usize>) -> Result<(), String> {
        let name = |number: usize| format!("{stem}{number}");
        self.runs.push((name(numbers.start), name(numbers.end - 1)));
        for number in numbers {
            if self.by_name.insert(name(number), NodeId::at(self.count)).is_some() {
                return Err(name(number));
            }
            self.count += 1;
        }
        Ok(())
    }

    /// Lets the name of a group stand for the nodes from this one to the last added.
    pub(crate) fn add_group(&mut self, name: &str, first: usize) {
        self.groups.insert(name.to_owned(), first..self.count);
    }

    /// The groups that have names, and the places of their nodes.
    pub(crate) fn groups(&self) -> Vec<(String, Range<usize>)> {
        self.groups
            .iter()
            .map(|(name, places)| (name.clone(), places.clone()))
            .collect()
    }

    /// How many nodes there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// The node of this name; when there is none, tells so.
    pub(crate) fn node(&self, name: &Text, report: &mut Report) -> Option<NodeId> {
        let known = self.by_name.get(&name.text).copied();
        if known.is_none() && !self.broken {
            self.unknown(name, &name.text, report);
        }
        known
    }

    /// The node of this name, if there is one.
    pub(crate) fn known(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// Two nodes that are not the same.
    pub(crate) fn pair(&self, names: &[Text], report: &mut Report) -> Option<[NodeId; 2]> {
        let [first, second] = names else { return None };
        let (a, b) = (self.node(first, report), self.node(second, report));
        let (a, b) = (a?, b?);
        if a == b {
            report.error(&second.span, format!("`{}` cannot be linked to itself", second.text));
            return None;
        }
        Some([a, b])
    }

    /// The nodes that a list of names, ranges and groups stands for, in its order, each once.
    pub(crate) fn nodes(&self, list: &[Text], report: &mut Report) -> Option<Vec<NodeId>> {
        let mut seen = BTreeSet::new();
        let mut nodes = Vec::new();
        let mut known = true;
        for entry in list {
            let Some(range) = self.range(entry, report) else {
                known = false;
                continue;
            };
            for node in range.map(NodeId::at) {
                if !seen.insert(node) {
                    // The rest of the list is left: a long list of ranges must not take time without bound.
                    report.error(&entry.span, format!("`{}` is in this list twice", self.name_of(node)));
                    return None;
                }
                nodes.push(node);
            }
        }
        known.then_some(nodes)
    }

    /// The places of the nodes that one entry of a list stands for.
    fn range(&self, entry: &Text, report: &mut Report) -> Option<Range<usize>> {
        if self.broken {
            return None;
        }
        if entry.text == "all" {
            return Some(0..self.count);
        }
        if let Some(group) = self.groups.get(&entry.text) {
            return Some(group.clone());
        }
        let Some((first, last)) = entry.text.split_once("..") else {
            let node = self.node(entry, report)?.index();
            return Some(node..node + 1);
        };
        let ends = [first, last].map(|end| {
            let node = self.by_name.get(end).copied();
            if node.is_none() {
                self.unknown(entry, end, report);
            }
            node
        });
        let [from, to] = [ends[0]?.index(), ends[1]?.index()];
        if from > to || stem(first) != stem(last) {
            let message = format!(
                "`{}` is no range: it goes from a lower to a higher number of one group",
                entry.text
            );
            report.error(&entry.span, message);
            return None;
        }
        Some(from..to + 1)
    }

    fn unknown(&self, place: &Text, name: &str, report: &mut Report) {
        let near = nearest(name, self.by_name.keys().map(String::as_str));
        let did_you_mean = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let help = format!("{did_you_mean}nodes: {}", self.overview());
        report.error_with_help(&place.span, format!("unknown node `{name}`"), help);
    }

    /// All names in short, as `n0..n7, m0`.
    pub(crate) fn overview(&self) -> String {
        let run = |(first, last): &(String, String)| match first == last {
            true => first.clone(),
            false => format!("{first}..{last}"),
        };
        self.runs.iter().map(run).collect::<Vec<_>>().join(", ")
    }

    fn name_of(&self, node: NodeId) -> &str {
        let named = self.by_name.iter().find(|(_, known)| **known == node);
        named.map_or("?", |(name, _)| name)
    }
}

/// A name without the number at its end.
fn stem(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// Whether a name has the number after another's.
fn follows(last: &str, name: &str) -> bool {
    let number = |name: &str| name.strip_prefix(stem(last))?.parse::<usize>().ok();
    number(last).is_some_and(|before| number(name) == Some(before + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    fn names() -> Names {
        let mut names = Names::default();
        names.add("n", 0..4).expect("the first names");
        names.add("m", 0..2).expect("other names");
        names.add_group("m", 4);
        names
    }

    fn check(list: &[&str]) -> Result<Vec<usize>, String> {
        let list: Vec<_> = list
            .iter()
            .map(|text| Text {
                text: (*text).to_owned(),
                span: 0..0,
            })
            .collect();
        let mut report = Report::new(Source::new("x.toml", ""));
        let nodes = names().nodes(&list, &mut report);
        let nodes = nodes.map(|nodes| nodes.into_iter().map(NodeId::index).collect());
        nodes.ok_or_else(|| report.into_errors().remove(0).message)
    }

    #[test]
    fn a_list_holds_nodes_ranges_and_groups() {
        assert_eq!(check(&["n1"]), Ok(vec![1]));
        assert_eq!(check(&["n3", "n0..n1"]), Ok(vec![3, 0, 1]));
        assert_eq!(check(&["m", "n2"]), Ok(vec![4, 5, 2]));
        assert_eq!(check(&["all"]), Ok((0..6).collect()));
    }

    #[test]
    fn what_is_no_list_of_nodes_is_told() {
        for (list, message) in [
            (vec!["n4"], "unknown node `n4`"),
            (vec!["n0..n9"], "unknown node `n9`"),
            (vec!["n1", "n0..n2"], "`n1` is in this list twice"),
            (
                vec!["n2..n1"],
                "`n2..n1` is no range: it goes from a lower to a higher number of one group",
            ),
            (
                vec!["n3..m1"],
                "`n3..m1` is no range: it goes from a lower to a higher number of one group",
            ),
        ] {
            assert_eq!(check(&list), Err(message.to_owned()));
        }
    }
}
