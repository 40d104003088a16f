//! Links from a file beside the scenario: an edge list, or GraphML (Brandes et al. 2002).
//!
//! Nodes are called as in the scenario (`n0`), by their numbers (`0`), or as the graph likes: then they are numbered as they come.

use std::collections::BTreeMap;

use base::NodeId;
use roxmltree::{Document, Node};

use crate::limits::{MAX_LINKS, MAX_NODES};
use crate::names::Names;

/// What is wrong with such a file, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    /// From 1; none when it is no single line's.
    pub(crate) line: Option<u32>,
    pub(crate) message: String,
}

impl Fault {
    fn at(line: u32, message: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            message: message.into(),
        }
    }
}

/// A graph as its file has it.
#[derive(Debug, Default)]
struct Graph<'a> {
    /// What nodes are called, as they come.
    nodes: Vec<&'a str>,
    places: BTreeMap<&'a str, usize>,
    edges: Vec<Edge<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Edge<'a> {
    ends: [&'a str; 2],
    line: u32,
}

/// The links that the text asks for among nodes of these names: the first of a pair dials. A pair that is linked twice is linked once.
pub(crate) fn links(text: &str, names: &Names) -> Result<Vec<(NodeId, NodeId)>, Fault> {
    if text.trim_start().starts_with('<') {
        let document = Document::parse(text).map_err(|error| Fault::at(error.pos().row, error.to_string()))?;
        graphml(&document)?.links(names)
    } else {
        edge_list(text)?.links(names)
    }
}

/// Two words a line, with blanks or a comma between them; `#` and `%` begin comments.
fn edge_list(text: &str) -> Result<Graph<'_>, Fault> {
    let mut graph = Graph::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split(['#', '%']).next().unwrap_or_default();
        let words: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty())
            .collect();
        match words[..] {
            [] => {}
            [from, to] => graph.add_edge([from, to], number)?,
            _ => {
                let message = format!("expected two nodes, found {} words", words.len());
                return Err(Fault::at(number, message));
            }
        }
    }
    Ok(graph)
}

/// The nodes and edges of the first graph, whichever way edges lead.
fn graphml<'a>(document: &'a Document<'_>) -> Result<Graph<'a>, Fault> {
    let line = |node: Node<'_, '_>| document.text_pos_at(node.range().start).row;
    let root = document.root_element();
    if !root.has_tag_name("graphml") && root.tag_name().name() != "graphml" {
        let message = format!("this XML is no GraphML: it begins with <{}>", root.tag_name().name());
        return Err(Fault::at(line(root), message));
    }
    let named = |name: &'static str| move |node: &Node<'_, '_>| node.tag_name().name() == name;
    let Some(element) = root.children().find(named("graph")) else {
        return Err(Fault::at(line(root), "there is no <graph> in <graphml>"));
    };
    let mut graph = Graph::default();
    let attribute = |node: Node<'a, '_>, name: &str| {
        let missing = || Fault::at(line(node), format!("<{}> has no `{name}`", node.tag_name().name()));
        node.attribute(name).ok_or_else(missing)
    };
    for node in element.children().filter(named("node")) {
        graph.add_node(attribute(node, "id")?, line(node))?;
    }
    for edge in element.children().filter(named("edge")) {
        graph.add_edge([attribute(edge, "source")?, attribute(edge, "target")?], line(edge))?;
    }
    Ok(graph)
}

impl<'a> Graph<'a> {
    fn add_node(&mut self, id: &'a str, line: u32) -> Result<(), Fault> {
        if self.places.contains_key(id) {
            return Ok(());
        }
        if self.nodes.len() == MAX_NODES {
            return Err(Fault::at(line, format!("at most {MAX_NODES} nodes are allowed")));
        }
        self.places.insert(id, self.nodes.len());
        self.nodes.push(id);
        Ok(())
    }

    fn add_edge(&mut self, ends: [&'a str; 2], line: u32) -> Result<(), Fault> {
        if self.edges.len() == MAX_LINKS {
            return Err(Fault::at(line, format!("at most {MAX_LINKS} links are allowed")));
        }
        if ends[0] == ends[1] {
            return Err(Fault::at(line, format!("`{}` cannot be linked to itself", ends[0])));
        }
        for end in ends {
            self.add_node(end, line)?;
        }
        self.edges.push(Edge { ends, line });
        Ok(())
    }

    fn links(&self, names: &Names) -> Result<Vec<(NodeId, NodeId)>, Fault> {
        let calling = self.calling(names);
        if calling == Calling::Freely && self.nodes.len() > names.count() {
            let message = format!("it has {} nodes, the network {}", self.nodes.len(), names.count());
            return Err(Fault { line: None, message });
        }
        let end = |id: &str, line: u32| {
            let node = match calling {
                Calling::ByName => names.known(id),
                Calling::ByNumber => number(id).filter(|number| *number < names.count()).map(NodeId::at),
                Calling::Freely => self.places.get(id).copied().map(NodeId::at),
            };
            node.ok_or_else(|| Fault::at(line, format!("unknown node `{id}`; nodes: {}", names.overview())))
        };
        self.edges
            .iter()
            .map(|Edge { ends: [a, b], line }| Ok((end(a, *line)?, end(b, *line)?)))
            .collect()
    }

    /// One way for all nodes: in a graph that calls some as we do, any other is a mistake.
    fn calling(&self, names: &Names) -> Calling {
        if self.nodes.iter().any(|id| names.known(id).is_some()) {
            Calling::ByName
        } else if self.nodes.iter().all(|id| number(id).is_some()) {
            Calling::ByNumber
        } else {
            Calling::Freely
        }
    }
}

/// How a graph calls the network's nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Calling {
    ByName,
    ByNumber,
    /// As it likes: they are numbered as they come.
    Freely,
}

fn number(id: &str) -> Option<usize> {
    id.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Vec<(usize, usize)>, String> {
        let mut names = Names::default();
        names.add("n", 0..4).expect("the first names");
        let links = links(text, &names);
        let links = links.map(|links| links.into_iter().map(|(a, b)| (a.index(), b.index())).collect());
        links.map_err(|fault| format!("{:?} {}", fault.line, fault.message))
    }

    #[test]
    fn an_edge_list_calls_nodes_by_name_by_number_or_as_it_likes() {
        assert_eq!(check("# a ring\nn0 n1\nn1, n3 % far\n\n"), Ok(vec![(0, 1), (1, 3)]));
        assert_eq!(check("0 1\n3\t2\n"), Ok(vec![(0, 1), (3, 2)]));
        assert_eq!(check("oslo,rome\nrome,bonn\n"), Ok(vec![(0, 1), (1, 2)]));
        assert_eq!(check(""), Ok(vec![]));
    }

    #[test]
    fn graphml_is_read_whatever_wrote_it() {
        let graph = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d0" for="edge" attr.name="weight" attr.type="double"/>
  <graph edgedefault="undirected">
    <node id="b"/><node id="a"/>
    <edge source="a" target="b"><data key="d0">2.5</data></edge>
    <edge source="b" target="c"/>
  </graph>
</graphml>"#;
        assert_eq!(check(graph), Ok(vec![(1, 0), (0, 2)]));
        let numbered = r#"<graphml><graph><node id="3"/><node id="0"/><edge source="0" target="3"/></graph></graphml>"#;
        assert_eq!(check(numbered), Ok(vec![(0, 3)]));
    }

    #[test]
    fn faults_are_told_with_their_lines() {
        for (text, fault) in [
            ("n0 n1\nn1 n4", "Some(2) unknown node `n4`; nodes: n0..n3"),
            ("n0 n1\nn1 oslo", "Some(2) unknown node `oslo`; nodes: n0..n3"),
            ("0 1\n1 4", "Some(2) unknown node `4`; nodes: n0..n3"),
            ("n0 n1 5", "Some(1) expected two nodes, found 3 words"),
            ("n0", "Some(1) expected two nodes, found 1 words"),
            ("n2 n2", "Some(1) `n2` cannot be linked to itself"),
            ("a b\nc d\ne a", "None it has 5 nodes, the network 4"),
            ("<gexf/>", "Some(1) this XML is no GraphML: it begins with <gexf>"),
            ("<graphml/>", "Some(1) there is no <graph> in <graphml>"),
            (
                "<graphml><graph>\n<edge source='0'/></graph></graphml>",
                "Some(2) <edge> has no `target`",
            ),
        ] {
            assert_eq!(check(text), Err(fault.to_owned()), "{text}");
        }
        let broken = check("<graphml>\n<graph></graphml>").expect_err("tags that do not match");
        assert!(broken.starts_with("Some(2) "), "{broken}");
    }

    #[test]
    fn entities_of_entities_are_refused_and_no_graph_is_larger_than_a_network() {
        let bomb = "<!DOCTYPE g [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;\">]><graphml>&b;</graphml>";
        assert!(check(bomb).is_err());
        let many: String = (0..=MAX_NODES).map(|n| format!("x{n} y{n}\n")).collect();
        let fault = check(&many).expect_err("more nodes than any network has");
        assert!(
            fault.ends_with(&format!("at most {MAX_NODES} nodes are allowed")),
            "{fault}"
        );
        let links = "0 1\n".repeat(MAX_LINKS + 1);
        let fault = check(&links).expect_err("more links than any network has");
        assert!(
            fault.ends_with(&format!("at most {MAX_LINKS} links are allowed")),
            "{fault}"
        );
    }
}
