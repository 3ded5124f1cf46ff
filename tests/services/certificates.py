"""A CA of a test's own, and what it signs."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class TlsFiles(NamedTuple):
    """A CA of ours, and the certificate and key it signed for `localhost`."""

    ca: Path
    certificate: Path
    key: Path


def tls_files(folder: Path) -> TlsFiles:
    """Make a CA and a certificate for `localhost`, good for a client and a server."""

    def run(*arguments: str) -> None:
        subprocess.run(("openssl", *arguments), check=True, capture_output=True, cwd=folder)

    key = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    # Python 3.13 refuses a CA that does not say what its key may be used for.
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    run("req", "-x509", *key, *usage, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test CA")
    run("req", *key[:3], "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=localhost")
    (folder / "san.cnf").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    run("x509", "-req", "-in", "tls.csr", *signing, "-extfile", "san.cnf", "-out", "tls.crt")
    return TlsFiles(folder / "ca.crt", folder / "tls.crt", folder / "tls.key")
