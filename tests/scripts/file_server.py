"""A server of files in memory for tests: it knows ranges, breaks connections off and takes notes of what it was asked."""

import http.server
import re
import threading


class FileServer:
    """Serves `files`, name to bytes, while it is entered.

    `cuts` are the bytes to send before the connection breaks off, a number for each answer to come; `ranges` says whether
    parts can be asked for; `hold` keeps connections open instead of breaking them; `asked` are the requests, each a name
    and the range asked for or None."""

    def __init__(self, files, cuts=(), ranges=True, hold=False):
        self.files, self.cuts, self.ranges, self.hold, self.asked = dict(files), list(cuts), ranges, hold, []
        self.released = threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.answer(self)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler):
        name, wanted = handler.path[1:], handler.headers.get("Range")
        self.asked.append((name, wanted))
        content = self.files.get(name)
        if content is None:
            handler.send_error(404)
            return
        first, whole = 0, len(content)
        if wanted and self.ranges:
            first = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            if first >= whole:
                handler.send_error(416)
                return
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {first}-{whole - 1}/{whole}")
        else:
            handler.send_response(200)
        handler.send_header("Content-Length", str(whole - first))
        handler.end_headers()
        last = first + self.cuts.pop(0) if self.cuts else whole
        handler.wfile.write(content[first:last])
        if self.hold:
            handler.wfile.flush()
            self.released.wait()
