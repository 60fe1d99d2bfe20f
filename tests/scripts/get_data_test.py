#!/usr/bin/env python3
"""Tests of scripts/get-data: with made-up data sets in its table, and with the real ones where they are at hand.

    tests/scripts/get_data_test.py [CLASS.TEST]

The exit code is 77 where the only test was skipped."""

import contextlib
import fcntl
import gzip
import hashlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import types
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(__file__))
from file_server import FileServer

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "get-data"
CLOSED = "http://127.0.0.1:1/"  # nobody listens there
TEXT = random.Random(1).randbytes(1_000_000)


def load():
    loader = importlib.machinery.SourceFileLoader("get_data", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("get_data", loader))
    sys.modules["get_data"] = module
    loader.exec_module(module)
    return module


def shared(path):
    """A folder of $ESPALIER_SHARED (../shared by default). Where it is missing, the test is skipped."""
    found = pathlib.Path(os.environ.get("ESPALIER_SHARED", SCRIPT.parents[1].parent / "shared"), path)
    if not found.is_dir():
        raise unittest.SkipTest(
            "the files are not there: set ESPALIER_SHARED to the folder that holds golden/, models/ and data/"
        )
    return found


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.target = self.folder / "data" / "set"
        self.script = load()
        self.script.PAUSES = [0.0, 0.0]
        self.have(self.file("text", TEXT))

    def file(self, name, content, limit=2_000_000):
        return self.script.File(name, "sha256", hashlib.sha256(content).hexdigest(), limit)

    def have(self, *files, members=(), mirrors=()):
        self.script.DATA_SETS = {"made-up": self.script.DataSet("for tests", mirrors, files, members)}

    def run_script(self, *arguments):
        """The exit code and what was said: the output's lines, and the last line of errors."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = self.script.main([str(argument) for argument in arguments])
        self.said = err.getvalue()
        return code, (out.getvalue() if code == 0 else self.said.splitlines()[-1])

    def get(self, source):
        return self.run_script("--from", source, "made-up", self.target)

    def assert_refused(self, result, code, *parts):
        self.assertEqual(result[0], code, result[1])
        self.assertTrue(result[1].startswith("scripts/get-data: "), result[1])
        for part in parts:
            self.assertIn(str(part), result[1])

    def assert_right(self, *names):
        self.assertEqual(sorted(os.listdir(self.target)), sorted(names))
        if "text" in names:
            self.assertEqual((self.target / "text").read_bytes(), TEXT)


class Fetching(Case):
    def test_takes_files_from_a_folder_once(self):
        source = self.folder / "source"
        source.mkdir()
        (source / "text").write_bytes(TEXT)
        self.assertEqual(self.get(source)[0], 0)
        self.assert_right("text")
        before = os.stat(self.target / "text")
        code, said = self.get(CLOSED)
        self.assertEqual(code, 0)
        self.assertIn("it was there", said)
        self.assertEqual(os.stat(self.target / "text"), before)

    def test_goes_on_where_a_connection_broke_off(self):
        with FileServer({"text": TEXT}, cuts=[400_000, 0, 300_000]) as server:
            self.assertEqual(self.get(server.url)[0], 0)
        ranges = [wanted for _, wanted in server.asked]
        self.assertEqual(ranges, [None, "bytes=400000-", "bytes=400000-", "bytes=700000-"])
        self.assert_right("text")

    def test_goes_on_in_the_next_run(self):
        with FileServer({"text": TEXT}, cuts=[400_000, 0, 0, 0, 0, 0]) as server:
            self.assert_refused(self.get(server.url.rstrip("/")), 3, server.url, "breaks off")
        self.assert_right("text.part")
        with FileServer({"text": TEXT}) as server:
            self.assertEqual(self.get(server.url)[0], 0)
        self.assertEqual(server.asked, [("text", "bytes=400000-")])
        self.assert_right("text")

    def test_begins_again_where_the_server_has_no_ranges(self):
        with FileServer({"text": TEXT}, cuts=[400_000], ranges=False) as server:
            self.assertEqual(self.get(server.url)[0], 0)
        self.assertEqual(len(server.asked), 2)
        self.assert_right("text")

    def test_a_part_of_another_file_is_fetched_anew(self):
        for length in (10, len(TEXT), len(TEXT) + 5):
            self.target.mkdir(parents=True, exist_ok=True)
            (self.target / "text.part").write_bytes(bytes(length))
            with FileServer({"text": TEXT}) as server:
                self.assertEqual(self.get(server.url)[0], 0, self.said)
            self.assertEqual(server.asked, [("text", f"bytes={length}-"), ("text", None)])
            self.assert_right("text")
            os.remove(self.target / "text")

    def test_a_whole_part_only_needs_its_name(self):
        self.target.mkdir(parents=True)
        (self.target / "text.part").write_bytes(TEXT)
        self.assertEqual(self.get(CLOSED)[0], 0)
        self.assert_right("text")

    def test_asks_one_mirror_after_the_other(self):
        with FileServer({}) as lacking, FileServer({"text": TEXT[1:]}) as wrong, FileServer({"text": TEXT}) as right:
            self.have(self.file("text", TEXT), mirrors=(CLOSED, lacking.url, wrong.url, right.url, CLOSED))
            self.assertEqual(self.run_script("made-up", self.target)[0], 0)
            self.assert_right("text")
            self.have(self.file("text", TEXT[2:]), mirrors=(CLOSED, lacking.url, wrong.url))
            os.remove(self.target / "text")
            result = self.run_script("made-up", self.target)
            self.assert_refused(result, 4, "Connection refused", "404", "wrong checksum")

    def test_names_are_quoted(self):
        self.have(self.file("a text", TEXT))
        with FileServer({"a%20text": TEXT}) as server:
            self.assertEqual(self.get(server.url)[0], 0)


class Refusing(Case):
    def test_a_wrong_checksum_is_named_with_the_right_one(self):
        other = TEXT[:-1] + b"x"
        sums = [hashlib.sha256(content).hexdigest() for content in (other, TEXT)]
        (self.folder / "text").write_bytes(other)
        with FileServer({"text": other}) as server:
            for source in (server.url, self.folder):
                self.assert_refused(self.get(source), 4, "SHA256 " + sums[0], "expected " + sums[1])
                self.assert_right()

    def test_a_wrong_file_that_is_there_stays(self):
        self.target.mkdir(parents=True)
        (self.target / "text").write_bytes(b"mine")
        with FileServer({"text": TEXT}) as server:
            self.assert_refused(self.get(server.url), 4, self.target / "text", "wrong checksum", "remove it")
        self.assertEqual((self.target / "text").read_bytes(), b"mine")

    def test_a_missing_file_is_named(self):
        with FileServer({}) as server:
            self.assert_refused(self.get(server.url), 3, server.url + "text", "404", "--from")
        self.assert_refused(self.get(self.folder), 3, self.folder / "text", "No such file")
        self.assert_refused(self.get(self.folder / "no"), 2, "no such folder")

    def test_no_network(self):
        self.assert_refused(self.get(CLOSED), 3, "cannot reach 127.0.0.1", "Connection refused")
        self.assertEqual(self.said.count("fetching from"), 1)

    def test_a_file_without_end_is_cut(self):
        self.have(self.file("text", TEXT[:5000], limit=5000))
        with FileServer({"text": TEXT}) as server:
            self.assert_refused(self.get(server.url), 4, "longer than the 5000 bytes")
        self.assertLessEqual(os.path.getsize(self.target / "text.part"), 5000)

    def test_a_full_disk(self):
        self.target.mkdir(parents=True)
        os.symlink("/dev/full", self.target / "text.part")
        with FileServer({"text": TEXT}) as server:
            self.assert_refused(self.get(server.url), 1, "text.part", "No space left on device", "free some space")

    def test_a_folder_that_cannot_be_written(self):
        (self.folder / "text").write_bytes(TEXT)
        self.target = self.folder / "text"
        self.assert_refused(self.get(self.folder), 1, "cannot write", self.target)
        self.target = self.folder / "text" / "below"
        self.assert_refused(self.get(self.folder), 1, "cannot write", self.target, "Not a directory")

    def test_a_folder_without_permission(self):
        if os.geteuid() == 0:
            self.skipTest("root may write anywhere")
        self.target.mkdir(parents=True, mode=0o500)
        (self.folder / "text").write_bytes(TEXT)
        self.assert_refused(self.get(self.folder), 1, "text.part", "Permission denied")

    def test_two_runs_in_one_folder(self):
        self.target.mkdir(parents=True)
        handle = os.open(self.target, os.O_RDONLY)
        self.addCleanup(os.close, handle)
        fcntl.flock(handle, fcntl.LOCK_EX)
        self.assert_refused(self.get(CLOSED), 1, "another scripts/get-data is at work")

    def test_the_command_line(self):
        self.script = load()
        for name, near in (("mnsit", "mnist"), ("CIFAR-10", "cifar10"), ("shakespeare", "tinyshakespeare")):
            self.assert_refused(self.run_script(name, self.target), 2, name, f"did you mean '{near}'?")
        self.assert_refused(self.run_script("xyz", self.target), 2, "there are mnist, cifar10, tinyshakespeare")
        self.assert_refused(self.run_script("mnist"), 2, "DIR")
        self.assert_refused(self.run_script("--to", "x", "mnist", self.target), 2, "--to")
        self.assert_refused(self.run_script("--from", "ftp://x", "mnist", self.target), 2, "only http")
        self.assertFalse(self.target.exists())


class Packed(Case):
    def test_content_counts_whoever_packed_it(self):
        self.have(self.file("text.gz", TEXT))
        for level in (1, 9):
            with FileServer({"text.gz": gzip.compress(TEXT, level)}) as server:
                self.assertEqual(self.get(server.url)[0], 0)
            self.assert_right("text.gz")
            os.remove(self.target / "text.gz")
        (self.target / "text").write_bytes(TEXT)
        self.assertEqual(self.get(CLOSED)[0], 0, "it may lie there unpacked")
        (self.target / "text").write_bytes(b"other")
        self.assert_refused(self.get(CLOSED), 4, self.target / "text")

    def test_what_is_wrong_with_a_packed_file_is_said(self):
        self.have(self.file("text.gz", TEXT, limit=len(TEXT)))
        packed = gzip.compress(TEXT)
        zeros = gzip.compress(bytes(100_000_000))
        for content, said in (
            (packed[: len(TEXT) // 2], "cut short"),
            (packed[: len(TEXT) // 2] + b"more", "cut short"),
            (b"no gzip", "no gzip file"),
            (packed[:-8] + bytes(8), "no gzip file"),
            (gzip.compress(TEXT[:100_000]) + b"behind", "bytes behind the end"),
            (zeros, "more than 1000000 bytes"),
        ):
            self.target.mkdir(parents=True, exist_ok=True)
            (self.target / "text.gz").write_bytes(content)
            self.assert_refused(self.get(CLOSED), 4, said)


class Archives(Case):
    def setUp(self):
        super().setUp()
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as tar:
            for name, content in (("readme", b"no member"), ("one.bin", b"1" * 5000), ("two.bin", b"2" * 70_000)):
                entry = tarfile.TarInfo("folder/" + name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        self.archive = stream.getvalue()
        self.have(self.file("set.tar.gz", self.archive), members=(("one.bin", 5000), ("two.bin", 70_000)))

    def test_are_unpacked_once(self):
        with FileServer({"set.tar.gz": self.archive}, cuts=[50]) as server:
            self.assertEqual(self.get(server.url)[0], 0)
        self.assert_right("one.bin", "two.bin", "SHA256SUMS")
        self.assertEqual((self.target / "two.bin").read_bytes(), b"2" * 70_000)
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=self.target, check=True)
        code, said = self.get(CLOSED)
        self.assertEqual(code, 0)
        self.assertIn("it was there", said)

    def test_a_member_that_went_missing_comes_back(self):
        with FileServer({"set.tar.gz": self.archive}) as server:
            self.get(server.url)
            os.remove(self.target / "one.bin")
            before = os.stat(self.target / "two.bin")
            self.assertEqual(self.get(server.url)[0], 0)
        self.assert_right("one.bin", "two.bin", "SHA256SUMS")
        self.assertEqual(os.stat(self.target / "two.bin"), before)

    def test_a_member_from_elsewhere_stays(self):
        self.target.mkdir(parents=True)
        (self.target / "two.bin").write_bytes(b"3" * 70_000)
        with FileServer({"set.tar.gz": self.archive}) as server:
            self.assert_refused(self.get(server.url), 4, self.target / "two.bin", "SHA256", "remove it")
            self.assertEqual(server.asked, [])
        self.assert_right("two.bin")

    def test_an_archive_that_was_there_stays(self):
        self.target.mkdir(parents=True)
        (self.target / "set.tar.gz").write_bytes(self.archive)
        self.assertEqual(self.get(CLOSED)[0], 0)
        self.assert_right("one.bin", "two.bin", "SHA256SUMS", "set.tar.gz")

    def test_one_that_lacks_a_member_is_refused(self):
        self.have(*self.script.DATA_SETS["made-up"].files, members=(("one.bin", 5000), ("two.bin", 60_000)))
        with FileServer({"set.tar.gz": self.archive}) as server:
            self.assert_refused(self.get(server.url), 4, "lacks two.bin")


class Showing(Case):
    def setUp(self):
        super().setUp()
        ticks = iter(range(10**9))
        self.script.time = types.SimpleNamespace(monotonic=lambda: 2.0 * next(ticks), sleep=time.sleep)

    def run_on(self, terminal):
        err = io.StringIO()
        err.isatty = lambda: terminal
        (self.folder / "text").write_bytes(TEXT)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
            self.assertEqual(self.script.main(["--from", str(self.folder), "made-up", str(self.target)]), 0)
        return err.getvalue()

    def test_progress_in_a_file_is_a_few_plain_lines(self):
        lines = self.run_on(terminal=False).splitlines()
        self.assertEqual(len(lines), 3, lines)
        self.assertIn("fetching from", lines[0])
        self.assertRegex(lines[1], r"^text:  \d\d % of 1\.0 MB, .*B/s$")
        self.assertIn("its checksum is right", lines[2])
        self.assertNotIn("\r", "".join(lines))

    def test_progress_on_a_terminal_is_redrawn_and_goes(self):
        said = self.run_on(terminal=True)
        redrawn = said.split("\n")[1].split("\r\033[K")
        self.assertEqual(redrawn[0], "")
        self.assertRegex(redrawn[1], r"^text:  26 % of 1\.0 MB, .*B/s$")
        self.assertRegex(redrawn[-2], r"^text: 100 % of 1\.0 MB, .*B/s$")
        self.assertEqual(redrawn[-1], "text: 1.0 MB, its checksum is right")


class Program(Case):
    """The program itself, with its own table."""

    def call(self, *arguments):
        return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)

    def test_help_says_what_the_exit_codes_mean(self):
        done = self.call("--help")
        self.assertEqual(done.returncode, 0)
        for part in ("mnist", "cifar10", "tinyshakespeare", "--from", "exit codes:", "checksum", "130"):
            self.assertIn(part, done.stdout)

    def test_errors_are_one_line(self):
        done = self.call("--from", CLOSED, "cifar10", self.target)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(len(done.stderr.splitlines()), 2, done.stderr)

    def test_an_interrupt_keeps_what_came(self):
        with FileServer({"input.txt": TEXT}, cuts=[600_000], hold=True) as server:
            running = subprocess.Popen([SCRIPT, "--from", server.url, "tinyshakespeare", self.target], stderr=subprocess.PIPE)
            part = self.target / "input.txt.part"
            for _ in range(1000):
                if part.exists() and part.stat().st_size > 0:
                    break
                time.sleep(0.01)
            running.send_signal(signal.SIGINT)
            said = running.communicate(timeout=30)[1].decode()
        self.assertEqual(running.returncode, 130, said)
        self.assertEqual(said.splitlines()[-1], "scripts/get-data: interrupted; the same command goes on from there")
        self.assertGreater(part.stat().st_size, 0)

    def test_mnist(self):
        source = shared("data/mnist")
        files = {path.name: path.read_bytes() for path in source.glob("*.gz")}
        with FileServer(files, cuts=[4_000_000, 3_000_000]) as server:
            done = self.call("--from", server.url, "mnist", self.target)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([wanted for _, wanted in server.asked[:3]], [None, "bytes=4000000-", "bytes=7000000-"])
        for name, content in files.items():
            self.assertEqual((self.target / name).read_bytes(), content)

    def test_mnist_with_a_wrong_and_a_missing_file(self):
        source = self.folder / "source"
        shutil.copytree(shared("data/mnist"), source)
        os.chmod(source, 0o700)
        os.replace(source / "t10k-labels-idx1-ubyte.gz", source / "train-labels-idx1-ubyte.gz")
        done = self.call("--from", source, "mnist", self.target)
        self.assertEqual(done.returncode, 4)
        self.assertIn("27ae3e4e09519cfbb04c329615203637, expected a25bea736e30d166cdddb491f175f624", done.stderr)
        shutil.copy(shared("data/mnist") / "train-labels-idx1-ubyte.gz", source)
        done = self.call("--from", source, "mnist", self.target)
        self.assertEqual(done.returncode, 3)
        self.assertIn("t10k-labels-idx1-ubyte.gz: No such file", done.stderr)

    def test_tinyshakespeare(self):
        source = shared("data/tinyshakespeare")
        for _ in range(2):
            done = self.call("--from", source, "tinyshakespeare", self.target)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("it was there", done.stdout)
        self.assertEqual((self.target / "input.txt").read_bytes(), (source / "input.txt").read_bytes())


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    for test, why in result.skipped:
        print(f"{test.id()}: Skipped\n{why}")
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(77 if len(result.skipped) == result.testsRun else 0)
