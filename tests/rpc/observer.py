"""fork-observer, unmodified, pointed at the nodes of a cluster with a fork: what it tells of them over HTTP.

usage: observer.py NAKANET FORK_OBSERVER

docs/TESTING.md says where a fork-observer comes from.
"""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
import xml.etree.ElementTree

from bitcoinrpc.authproxy import AuthServiceProxy

from node import Cluster

NAKANET, FORK_OBSERVER = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
del sys.argv[1:3]

NODES = range(4)
PATIENCE = 60
# How fork-observer asks each node: over REST or not, in a long poll or at intervals.
WAYS = {0: "", 1: "use_rest = false", 2: "use_waitfornewblock = false", 3: "use_rest = false\nuse_waitfornewblock = false"}

SETTINGS = """
database_path = "headers.sqlite"
www_path = "."
query_interval = 1
address = "{address}"
rss_base_url = ""
footer_html = ""

[[networks]]
id = 1
name = "nakanet"
description = ""
min_fork_height = 0
max_interesting_heights = 100
"""

NODE = """
[[networks.nodes]]
id = {node}
name = "n{node}"
description = ""
rpc_host = "127.0.0.1"
rpc_port = {port}
rpc_cookie_file = "{cookie}"
{way}
"""


class Observer:
    """A running fork-observer, in a folder of its own."""

    def __init__(self, cluster):
        self.folder = tempfile.TemporaryDirectory(prefix="nakanet-observer-")
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{address}"
        settings = SETTINGS.format(address=address)
        for node in NODES:
            port = cluster.addresses[node].rsplit(":", 1)[1]
            settings += NODE.format(node=node, port=port, cookie=cluster.data(node) / ".cookie", way=WAYS[node])
        (pathlib.Path(self.folder.name) / "config.toml").write_text(settings)
        self.process = subprocess.Popen(
            [FORK_OBSERVER], cwd=self.folder.name, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        # It asks its first node a second after it has begun, and by then it listens.
        for line in self.process.stderr:
            if "headers to database" in line:
                break
        else:
            raise AssertionError(f"fork-observer ended with {self.process.wait()}")
        self.reader = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.reader.start()

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=PATIENCE) as answer:
            return answer.read()

    def json(self, path):
        return json.loads(self.get(path))

    def until(self, holds):
        """What it tells of the network once that is as it should be: looked at again at every change that it announces."""
        deadline = time.monotonic() + PATIENCE
        with urllib.request.urlopen(f"{self.url}/api/changes", timeout=PATIENCE) as changes:
            data = self.json("api/1/data.json")
            while not holds(data):
                for line in changes:
                    if time.monotonic() > deadline:
                        raise AssertionError(f"after {PATIENCE} s it tells of {data['nodes']}")
                    if line.startswith(b"event:"):
                        break
                else:
                    raise AssertionError("it announces no more")
                data = self.json("api/1/data.json")
        return data

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.reader.join()
        self.process.stderr.close()
        self.folder.cleanup()


def tips(data):
    """The tips of each node: hashes, and the state of each."""
    return [{tip["hash"]: tip["status"] for tip in node["tips"]} for node in data["nodes"]]


class ForkObserver(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(NAKANET, len(NODES))
        self.addCleanup(self.cluster.end)
        # Two branches of two blocks each, which every node has.
        self.cluster.type('mine = 3, on = "n0"')
        self.reach(NODES, 3)
        self.cluster.type('partition = [["n0..n1"], ["n2..n3"]], as = "split"')
        self.cluster.type('mine = 2, on = "n0"')
        self.cluster.type('mine = 2, on = "n2"')
        self.reach(NODES, 5)
        self.left, self.right = (self.call(node, "getbestblockhash") for node in (0, 2))
        self.cluster.type('heal = "split"')
        self.observer = Observer(self.cluster)
        self.addCleanup(self.observer.end)

    def call(self, node, method, *arguments):
        cookie = (self.cluster.data(node) / ".cookie").read_text()
        client = AuthServiceProxy(f"http://{cookie}@{self.cluster.addresses[node]}", timeout=PATIENCE)
        try:
            return getattr(client, method)(*arguments)
        finally:
            client._AuthServiceProxy__conn.close()

    def reach(self, nodes, height):
        for node in nodes:
            self.assertEqual(self.call(node, "waitforblockheight", height, PATIENCE * 1_000)["height"], height)

    def test_both_tips_of_every_node(self):
        self.assertNotEqual(self.left, self.right)
        here = {self.left: "active", self.right: "valid-fork"}
        there = {self.left: "valid-fork", self.right: "active"}
        data = self.observer.until(lambda data: tips(data) == [here, here, there, there])
        for node in data["nodes"]:
            self.assertEqual((node["reachable"], node["version"]), (True, self.call(0, "getnetworkinfo")["subversion"]))
        self.headers(data)
        self.stale_blocks()
        self.one_branch()
        self.a_rejected_branch()
        self.a_lost_node()

    def headers(self, data):
        """Every header as the nodes give it, each on its parent."""
        known = {header["hash"]: header for header in data["header_infos"]}
        self.assertEqual(sorted(header["height"] for header in known.values()), [2, 3, 4, 4, 5, 5])
        for header in known.values():
            theirs = self.call(0, "getblockheader", header["hash"])
            self.assertEqual(header["prev_blockhash"], theirs["previousblockhash"])
            for field, name in (("height", "height"), ("merkle_root", "merkleroot"), ("time", "time"), ("nonce", "nonce")):
                self.assertEqual(header[field], theirs[name], header["hash"])
        fork = known[self.left]
        for _ in range(2):
            fork = known[fork["prev_blockhash"]]
        feed = xml.etree.ElementTree.fromstring(self.observer.get("rss/1/forks.xml"))
        self.assertEqual([guid.text for guid in feed.iter("guid")], [fork["hash"]])

    def stale_blocks(self):
        """The branch without the most work, here either of both, and its blocks, byte for byte."""
        stale = self.observer.json("api/1/stale.json")["stale_blocks"]
        self.assertEqual([block["height"] for block in stale], [5, 4])
        self.assertIn(stale[0]["hash"], (self.left, self.right))
        for block in stale:
            self.assertEqual(block["header"], self.call(0, "getblockheader", block["hash"], False))
            body = self.observer.get(f"api/1/block/{block['hash']}/hex").decode()
            self.assertEqual(body, self.call(0, "getblock", block["hash"], 0))

    def one_branch(self):
        """One block more, and all follow its branch."""
        self.cluster.type('mine = 1, on = "n2"')
        self.reach(NODES, 6)
        self.best = self.call(0, "getbestblockhash")
        shown = {self.left: "valid-fork", self.best: "active"}
        self.observer.until(lambda data: tips(data) == [shown] * len(NODES))
        stale = self.observer.json("api/1/stale.json")["stale_blocks"]
        self.assertEqual((len(stale), stale[0]["hash"]), (2, self.left))

    def a_rejected_branch(self):
        """A node that is told to reject a branch calls it invalid, and the others do not."""
        self.call(3, "invalidateblock", self.left)
        shown = {self.left: "valid-fork", self.best: "active"}
        rejected = {self.left: "invalid", self.best: "active"}
        self.observer.until(lambda data: tips(data) == [shown, shown, shown, rejected])
        feed = xml.etree.ElementTree.fromstring(self.observer.get("rss/1/invalid.xml"))
        self.assertEqual([guid.text for guid in feed.iter("guid")], [self.left])

    def a_lost_node(self):
        self.cluster.type('stop = "n1"')
        self.observer.until(lambda data: [node["reachable"] for node in data["nodes"]] == [True, False, True, True])


if __name__ == "__main__":
    unittest.main(verbosity=2)
