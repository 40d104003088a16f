"""A node of nakanet for the tests of its interface: the binary, in a folder of its own."""

import pathlib
import signal
import subprocess
import tempfile
import threading


class Node:
    """A running node, and where its interface is."""

    def __init__(self, program, *arguments):
        self.program = program
        self.folder = tempfile.TemporaryDirectory(prefix="nakanet-rpc-")
        self.data = pathlib.Path(self.folder.name)
        self.arguments = arguments
        self.start()

    def start(self):
        command = [self.program, "node", "--data", str(self.data), "--preset", "instant", "--rpc", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, *self.arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for line in self.process.stdout:
            if line.startswith("JSON-RPC on "):
                self.address = line.split()[-1]
                break
        else:
            raise AssertionError(f"the node ended with {self.process.wait()}")
        # Read on, so that the node never waits for its reader.
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)
        self.reader.join()
        self.process.stdout.close()
        self.folder.cleanup()


class Cluster:
    """An ad-hoc cluster that mines on request, and where each node's interface is."""

    def __init__(self, program, nodes):
        self.folder = tempfile.TemporaryDirectory(prefix="nakanet-rpc-")
        command = [program, "up", "-n", str(nodes), "--rpc", "--mine-interval", "off", "--out", self.folder.name]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.addresses = []
        for line in self.process.stdout:
            if "JSON-RPC on " in line:
                self.addresses.append(line.split()[-1])
            if " links up " in line:
                break
        else:
            raise AssertionError(f"the cluster ended with {self.process.wait()}")
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()
        (self.run,) = pathlib.Path(self.folder.name).glob("*-up-*")

    def data(self, node):
        return self.run / "nodes" / f"n{node}"

    def type(self, line):
        """A line for the cluster, as its user types it."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        self.process.stdin.close()
        self.reader.join()
        self.process.stdout.close()
        self.folder.cleanup()
