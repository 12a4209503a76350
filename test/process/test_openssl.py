#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Certificates that the openssl program made, and ours as it sees them."""

import subprocess

import harness

SERVER = "server.dc.example"
CLIENT = "client.dc.example"
KEYS = {"p256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "ed25519": ("-algorithm", "ED25519")}
CONFIG = """[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:{name}
"""


class OpenSsl(harness.Case):
    """Each test has a CA of openssl's, one of ours, and a socket of its own."""

    def setUp(self):
        super().setUp()
        self.need_program("openssl")

    def openssl(self, *words):
        done = subprocess.run(["openssl", *words], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, " ".join(words) + "\n" + done.stdout)
        return done.stdout

    def key(self, kind, place):
        self.openssl("genpkey", *KEYS[kind], "-out", f"{place}.key")
        (self.folder / f"{place}.key").chmod(0o600)

    def config(self, name):
        path = self.folder / f"{name}.cnf"
        path.write_text(CONFIG.format(name=name), encoding="utf-8")
        return str(path)

    def make_ca(self, kind):
        """A CA of openssl's, as FOLDER/KIND-ca."""
        self.key(kind, f"{kind}-ca")
        self.openssl("req", "-x509", "-new", "-key", f"{kind}-ca.key", "-days", "2", "-config",
                     self.config(f"{kind} CA"), "-extensions", "ca", "-out", f"{kind}-ca.pem")

    def make(self, kind, name):
        """A certificate of openssl's CA of that kind; returns the place of its files."""
        place = f"{kind}-{name}"
        config = self.config(name)
        self.key(kind, place)
        self.openssl("req", "-new", "-key", f"{place}.key", "-config", config, "-out",
                     f"{place}.csr")
        self.openssl("x509", "-req", "-in", f"{place}.csr", "-CA", f"{kind}-ca.pem", "-CAkey",
                     f"{kind}-ca.key", "-CAcreateserial", "-days", "1", "-extfile", config,
                     "-extensions", "leaf", "-out", f"{place}.pem")
        return self.folder / place

    def identity(self, *words):
        process = self.program(harness.sluice_program(), "identity", *words)
        self.assertEqual(process.wait(), 0, process.story())

    def issue(self, name, *words):
        """A certificate of ours; returns the place of its files."""
        if not (self.folder / "ours").exists():
            self.identity("ca", f"--out={self.folder}/ours", "--below=dc.example")
        self.identity("issue", name, f"--ca={self.folder}/ours", f"--out={self.folder}/ids",
                      "--days=1", *words)
        return self.folder / "ids" / name

    def side(self, role, place, socket, trust):
        address = "10.0.0.2/24" if role == "server" else "10.0.0.1/24"
        return (f"--port=net_memif0,role={role},socket={socket},socket-abstract=no",
                f"--address={address}", f"--cert={place}.pem", f"--key={place}.key",
                *(f"--trust={each}" for each in trust))

    def talk(self, server, client, *trust):
        socket = self.folder / f"{server.name}-{client.name}.sock"
        process = self.server(*self.side("server", server, socket, trust))
        json = self.json_path("client")
        self.run_sluice("pingpong", "--count=100", "--warmup=1", "--peer=10.0.0.2",
                        f"--name={SERVER}", f"--json={json}",
                        *self.side("client", client, socket, trust))
        self.assert_served(harness.Report(json), 100)
        self.assertEqual(process.terminate(), 0)

    # Verifies MUST-I8
    def test_certificates_of_openssl_are_accepted_on_both_sides_and_beside_ours(self):
        ours = {SERVER: self.issue(SERVER), CLIENT: self.issue(CLIENT)}
        our_ca = self.folder / "ours" / "ca.pem"
        for kind in KEYS:
            self.make_ca(kind)
            theirs = {name: self.make(kind, name) for name in (SERVER, CLIENT)}
            their_ca = self.folder / f"{kind}-ca.pem"
            with self.subTest(keys=kind, sides="both"):
                self.talk(theirs[SERVER], theirs[CLIENT], their_ca)
            with self.subTest(keys=kind, sides="server"):
                self.talk(theirs[SERVER], ours[CLIENT], their_ca, our_ca)
            with self.subTest(keys=kind, sides="client"):
                self.talk(ours[SERVER], theirs[CLIENT], their_ca, our_ca)

    def test_our_certificates_are_good_for_openssl(self):
        place = self.issue(SERVER)
        ca = f"{self.folder}/ours/ca.pem"
        for purpose in ("sslserver", "sslclient"):
            said = self.openssl("verify", "-x509_strict", "-CAfile", ca, "-purpose", purpose,
                                "-verify_hostname", SERVER, f"{place}.pem")
            self.assertIn("OK", said)
        self.assertIn(f"DNS:{SERVER}", self.openssl("x509", "-in", f"{place}.pem", "-noout",
                                                    "-ext", "subjectAltName"))


if __name__ == "__main__":
    harness.main()
