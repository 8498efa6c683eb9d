"""Requests that two programs may read in two ways, by name: a proxy in between, and this service."""

BODY = b'{"a": 1}'
HIDDEN = b"GET /v1/hidden HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
"""What a request is followed by: another program may take it for its body."""
PATH = "/v1/concerns/check"


def head(*lines: str, method: str = "POST", version: str = "1.1") -> bytes:
    """A head with those lines, and a Host field."""
    return "\r\n".join([f"{method} {PATH} HTTP/{version}", "Host: localhost", *lines, "", ""]).encode("latin-1")


def raw(first: str, *lines: str) -> bytes:
    """A head with exactly those lines."""
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


CHUNKED = "Transfer-Encoding: chunked"
LENGTH = f"Content-Length: {len(BODY)}"
IN_CHUNKS = b"8\r\n" + BODY + b"\r\n0\r\n\r\n"
TWO_LENGTHS = {
    "a length and chunks": head(LENGTH, CHUNKED) + IN_CHUNKS,
    "chunks and a length": head(CHUNKED, LENGTH) + IN_CHUNKS,
    "a length of nothing and chunks": head("Content-Length: 0", CHUNKED) + IN_CHUNKS,
    "a length and another coding": head(LENGTH, "Transfer-Encoding: gzip") + BODY,
    "a length and no coding": head(LENGTH, "Transfer-Encoding:") + BODY,
    "two lengths that differ": head("Content-Length: 1", LENGTH) + BODY,
    "two equal lengths": head(LENGTH, LENGTH) + BODY,
    "two equal lengths, one in other letters": head(LENGTH, LENGTH.lower()) + BODY,
    "two equal lengths, not side by side": head(LENGTH, "X: y", LENGTH) + BODY,
    "two equal lengths in a list": head("Content-Length: 8, 8") + BODY,
    "two lengths in a list": head("Content-Length: 8, 0") + BODY,
    "a list of one length": head("Content-Length: 8,") + BODY,
}
BAD_LENGTHS = {
    f"the length {value!r}": head(f"Content-Length: {value}") + BODY
    for value in (
        "08",
        "0008",
        "+8",
        "-8",
        "0x8",
        "8.0",
        "8e0",
        "8 8",
        '"8"',
        "8;",
        "eight",
        "",
        "00",
        "\xb2",
        "9" * 20,
    )
}
BAD_CODINGS = {
    f"the coding {value!r}": head(f"Transfer-Encoding: {value}") + IN_CHUNKS
    for value in (
        *("gzip", "identity", "chunked, gzip", "gzip, chunked", "chunked, chunked", "chunked,", ",chunked"),
        *("chunked;q=1", "x-chunked", "chunkedx", "chunke", "chun ked", '"chunked"', "chunked\x0b", "\x0cchunked", ""),
    )
}
CODINGS = {
    "two codings": head(CHUNKED, CHUNKED) + IN_CHUNKS,
    "two codings, chunked last": head("Transfer-Encoding: identity", CHUNKED) + IN_CHUNKS,
    "chunks in HTTP/1.0": head(CHUNKED, version="1.0") + IN_CHUNKS,
    "chunks and a length in HTTP/1.0": head(CHUNKED, LENGTH, version="1.0") + IN_CHUNKS,
}
LINES = {
    "a folded value": head("X: y", " z"),
    "a folded value with a tab": head("X: y", "\tz"),
    "a folded coding": head("Transfer-Encoding:", " chunked") + IN_CHUNKS,
    "a folded length": head("Content-Length:", " 8") + BODY,
    "a length folded into another field": head("X: y", f" {LENGTH}") + BODY,
    "a first field that is folded": raw(f"POST {PATH} HTTP/1.1", " Host: localhost"),
    "bare LF everywhere": head(LENGTH).replace(b"\r\n", b"\n") + BODY,
    "bare LF after the request line": head(LENGTH).replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n") + BODY,
    "bare LF after a field": head("X: y", LENGTH).replace(b"X: y\r\n", b"X: y\n") + BODY,
    "bare LF at the end": head(LENGTH)[:-2] + b"\n" + BODY,
    "bare LF twice at the end": head(LENGTH)[:-4] + b"\n\n" + BODY,
    "a field behind a bare LF": head(f"X: y\n{CHUNKED}", LENGTH) + BODY,
    "a field behind a bare CR": head(f"X: y\r{CHUNKED}", LENGTH) + BODY,
    "two CR at the end of a line": head("X: y\r", LENGTH) + BODY,
    "bare CR in the request line": raw(f"POST {PATH}\r HTTP/1.1", "Host: localhost"),
    "NUL in a value": head("X: y\0z"),
    "NUL in a name": head("X\0: y"),
    "a control character in a value": head("X: y\x01"),
    "a blank before the colon": head("X : y"),
    "a tab before the colon": head("X\t: y"),
    "a blank before the colon of a coding": head("Transfer-Encoding : chunked", LENGTH) + BODY,
    "a blank before the colon of a length": head("Content-Length : 8") + BODY,
    "a blank before a name": raw(f"POST {PATH} HTTP/1.1", "Host: localhost", " X: y"),
    "a blank in a name": head("Content Length: 8") + BODY,
    "a name with a letter of Latin-1": head("Content-L\xebngth: 8") + BODY,
    "a field without a name": head(": y"),
    "a line without a colon": head("chunked"),
    "two blanks in the request line": raw(f"POST  {PATH} HTTP/1.1", "Host: localhost"),
    "a tab in the request line": raw(f"POST\t{PATH} HTTP/1.1", "Host: localhost"),
    "a blank after the version": raw(f"POST {PATH} HTTP/1.1 ", "Host: localhost"),
    "no version": raw(f"POST {PATH}", "Host: localhost"),
    "HTTP/0.9": raw(f"POST {PATH} HTTP/0.9", "Host: localhost"),
    "HTTP/1.2": raw(f"POST {PATH} HTTP/1.2", "Host: localhost"),
    "HTTP/2.0": raw(f"POST {PATH} HTTP/2.0", "Host: localhost"),
    "http/1.1": raw(f"POST {PATH} http/1.1", "Host: localhost"),
    "HTTP/01.1": raw(f"POST {PATH} HTTP/01.1", "Host: localhost"),
    "a blank in the target": raw(f"POST {PATH}?a b HTTP/1.1", "Host: localhost"),
}
HOSTS = {
    "no host": raw(f"POST {PATH} HTTP/1.1"),
    "two hosts": head("Host: elsewhere.example"),
    "two equal hosts": head("Host: localhost"),
    "two hosts in HTTP/1.0": head("Host: elsewhere.example", version="1.0"),
} | {
    f"the host {value!r}": raw(f"POST {PATH} HTTP/1.1", f"Host: {value}")
    for value in (
        *("", "localhost, localhost", "local host", "localhost/v1", "a@localhost", "localhost:80:80", "localhost:http"),
        *("localhost?", "localhost#", "[::1", "::1", "[localhost]", "http://localhost", "localhost\\", "l\xf6calhost"),
    )
}
ONCE = {
    "two media types": head("Content-Type: application/json", "Content-Type: text/plain", LENGTH) + BODY,
    "two credentials": head("Authorization: Bearer a", "Authorization: Bearer b"),
}
HEADS = {**TWO_LENGTHS, **BAD_LENGTHS, **BAD_CODINGS, **CODINGS, **LINES, **HOSTS, **ONCE}

BODIES = {
    f"chunks {chunks!r}": head(CHUNKED, "Content-Type: application/json") + chunks
    for chunks in (
        *(
            b"8 \r\n" + BODY + b"\r\n0\r\n\r\n",
            b" 8\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"8\t\r\n" + BODY + b"\r\n0\r\n\r\n",
        ),
        *(b"8\n" + BODY + b"\r\n0\r\n\r\n", b"8\r\n" + BODY + b"\n0\r\n\r\n", b"8\r\n" + BODY + b"\r\n0\n\r\n"),
        *(b"8\r" + BODY + b"\r\n0\r\n\r\n", b"8\r\n" + BODY + b"0\r\n\r\n", b"8\r\n" + BODY + b"\r\n0\r\n\n"),
        *(
            b"0x8\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"+8\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"-8\r\n" + BODY + b"\r\n0\r\n\r\n",
        ),
        *(
            b"8 ;a=b\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"8;\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"8,\r\n" + BODY + b"\r\n0\r\n\r\n",
        ),
        *(b"8;a\rb\r\n" + BODY + b"\r\n0\r\n\r\n", b"8;a\nb\r\n" + BODY + b"\r\n0\r\n\r\n"),
        *(
            b"8;a=\0\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"8_0\r\n" + BODY + b"\r\n0\r\n\r\n",
        ),
        *(b"f" * 17 + b"\r\n" + BODY, b"\xb2\r\n" + BODY + b"\r\n0\r\n\r\n"),
        *(b"8\r\n" + BODY + b"\r\n0\r\nX: y\n\r\n", b"8\r\n" + BODY + b"\r\n0\r\nX : y\r\n\r\n"),
        *(b"8\r\n" + BODY + b"\r\n0\r\nX: y\r\n z\r\n\r\n", b"8\r\n" + BODY + b"\r\n0\r\nX: y\0\r\n\r\n"),
        *(b"8\r\n" + BODY + b"\r\n0 \r\n\r\n", b"8\r\n" + BODY + b"\r\n0\r\nX: y\n\n"),
    )
}

CLEAR = {
    "a length": head(LENGTH) + BODY,
    "a length with blanks around it": head("Content-Length: \t8 \t") + BODY,
    "a length without a blank": head("Content-Length:8") + BODY,
    "a length of nothing": head("Content-Length: 0"),
    "no body": head(),
    "chunks": head(CHUNKED) + IN_CHUNKS,
    "chunks in other letters": head("tRANSFER-eNCODING: ChunKeD") + IN_CHUNKS,
    "chunks with blanks around the coding": head("Transfer-Encoding: \tchunked ") + IN_CHUNKS,
    "several chunks": head(CHUNKED) + b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n",
    "sizes with zeros before": head(CHUNKED) + b"0008\r\n" + BODY + b"\r\n000\r\n\r\n",
    "chunks with extensions": head(CHUNKED) + b'8;a;b=c;d="e f"\r\n' + BODY + b"\r\n0;g\r\n\r\n",
    "trailers": head(CHUNKED) + b"8\r\n" + BODY + b"\r\n0\r\nX: y\r\nZ:\r\n\r\n",
    "an empty field": head("X:"),
    "a value of Latin-1": head("X: \xe9"),
    "tabs in a value": head("X: y\tz"),
    "an odd name": head("!#$%&'*+-.^_`|~: y"),
    "a host with a port": raw(f"POST {PATH} HTTP/1.1", "Host: localhost:80"),
    "a host without its port": raw(f"POST {PATH} HTTP/1.1", "Host: localhost:"),
    "an address": raw(f"POST {PATH} HTTP/1.1", "hOST: [::1]:80"),
}
"""Requests that have one meaning."""
