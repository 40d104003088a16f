//! The shapes hold what they promise.

use super::*;

fn links(topology: &Topology, nodes: usize) -> Vec<(usize, usize)> {
    let links = topology.links(nodes, &Seed::from_number(7).child("topology", 0));
    links.into_iter().map(|(a, b)| (a.index(), b.index())).collect()
}

fn degrees(nodes: usize, links: &[(usize, usize)]) -> Vec<usize> {
    let mut degrees = vec![0; nodes];
    for (a, b) in links {
        degrees[*a] += 1;
        degrees[*b] += 1;
    }
    degrees
}

fn is_connected(nodes: usize, links: &[(usize, usize)]) -> bool {
    let mut reached = BTreeSet::from([0]);
    loop {
        let before = reached.len();
        for (a, b) in links {
            if reached.contains(a) || reached.contains(b) {
                reached.extend([*a, *b]);
            }
        }
        if reached.len() == before {
            return nodes == 0 || before == nodes;
        }
    }
}

fn connected_shapes() -> Vec<Topology> {
    let small_world = |degree, rewire| Topology::SmallWorld { degree, rewire };
    vec![
        Topology::Full,
        Topology::Ring,
        Topology::Line,
        Topology::Star,
        Topology::Tree { degree: 1 },
        Topology::Tree { degree: 3 },
        Topology::Grid,
        small_world(2, 1_000_000),
        small_world(4, 0),
        small_world(6, 200_000),
        Topology::ScaleFree { degree: 1 },
        Topology::ScaleFree { degree: 3 },
        Topology::Random { outbound: 1 },
        Topology::Random { outbound: 3 },
        Topology::Random { outbound: 1_000 },
    ]
}

#[test]
fn every_shape_is_connected_whatever_its_size() {
    for topology in connected_shapes() {
        for nodes in 1..40 {
            let links = links(&topology, nodes);
            assert!(is_connected(nodes, &links), "{topology:?} of {nodes}: {links:?}");
        }
    }
}

#[test]
fn each_pair_is_linked_once_and_nobody_to_itself() {
    for topology in connected_shapes() {
        for nodes in [1, 2, 3, 7, 30] {
            let links = links(&topology, nodes);
            let pairs: BTreeSet<_> = links.iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
            assert_eq!(pairs.len(), links.len(), "{topology:?} of {nodes}");
            assert!(links.iter().all(|(a, b)| a != b && *a < nodes && *b < nodes));
            assert!(links.len() <= topology.most_links(nodes), "{topology:?} of {nodes}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_links() {
    let random = Topology::Random { outbound: 3 };
    let of_seed = |seed| random.links(50, &Seed::from_number(seed));
    assert_eq!(of_seed(1), of_seed(1));
    assert_ne!(of_seed(1), of_seed(2));
}

#[test]
fn plain_shapes_are_what_their_names_say() {
    assert_eq!(links(&Topology::Ring, 4), [(0, 1), (1, 2), (2, 3), (3, 0)]);
    assert_eq!(links(&Topology::Ring, 2), [(0, 1)]);
    assert_eq!(links(&Topology::Line, 3), [(0, 1), (1, 2)]);
    assert_eq!(links(&Topology::Star, 4), [(1, 0), (2, 0), (3, 0)]);
    assert_eq!(
        links(&Topology::Tree { degree: 2 }, 5),
        [(1, 0), (2, 0), (3, 1), (4, 1)]
    );
    assert_eq!(links(&Topology::Grid, 4), [(0, 1), (0, 2), (1, 3), (2, 3)]);
    assert_eq!(links(&Topology::Full, 3), [(0, 1), (0, 2), (1, 2)]);
    assert_eq!(links(&Topology::None, 9), []);
    let edges = Topology::Edges(vec![(NodeId(2), NodeId(0)), (NodeId(0), NodeId(2))]);
    assert_eq!(links(&edges, 3), [(2, 0)]);
}

#[test]
fn in_a_random_network_each_dials_its_number() {
    let links = links(&Topology::Random { outbound: 8 }, 200);
    let dialled = (0..200).map(|node| links.iter().filter(|(a, _)| *a == node).count());
    assert!(dialled.into_iter().all(|count| count == 8));
}

#[test]
fn a_lattice_has_equal_degrees_until_it_is_rewired() {
    let lattice = links(&Topology::SmallWorld { degree: 4, rewire: 0 }, 30);
    assert!(degrees(30, &lattice).into_iter().all(|degree| degree == 4));
    let rewired = links(
        &Topology::SmallWorld {
            degree: 4,
            rewire: 500_000,
        },
        30,
    );
    assert_eq!(rewired.len(), lattice.len());
    let long = |links: &[(usize, usize)]| {
        let distance = |a: usize, b: usize| a.abs_diff(b).min(30 - a.abs_diff(b));
        links.iter().filter(|(a, b)| distance(*a, *b) > 2).count()
    };
    assert_eq!(long(&lattice), 0);
    assert!((7..=23).contains(&long(&rewired)), "{}", long(&rewired));
}

#[test]
fn a_scale_free_network_has_hubs() {
    let links = links(&Topology::ScaleFree { degree: 2 }, 300);
    assert_eq!(links.len(), 3 + 297 * 2);
    let degrees = degrees(300, &links);
    assert!(degrees.iter().all(|degree| *degree >= 2));
    assert!(degrees.iter().max() > Some(&20), "{degrees:?}");
}
