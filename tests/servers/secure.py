"""Apache Kafka with TLS and SASL, as a bank has it: passwords by PLAIN and SCRAM, an authority of its own."""

from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)  # fmt: skip

from tests.servers.certificates import Authority
from tests.servers.kafka import Kafka
from tests.servers.server import free_port

USER, PASSWORD = "tide", "correct-horse"
_LOGIN = "org.apache.kafka.common.security"


class SecureKafka(Kafka):
    """A broker that listens four times: in plain for its tests, and by SASL_SSL with a good certificate, with one that
    is over, and with one for another host.

    Attributes:
        secure, expired, elsewhere: addresses of the last three.
        authority: the file of the authority that signed all of them.
        other: that of one which did not.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        ports = {"SECURE": free_port(), "EXPIRED": free_port(), "ELSEWHERE": free_port()}
        self.secure, self.expired, self.elsewhere = (f"127.0.0.1:{port}" for port in ports.values())
        signer = Authority(folder / "tls")
        self.authority, self.other = signer.file, Authority(folder / "tls", "other").file
        files = {
            "SECURE": signer.sign("secure"), "EXPIRED": signer.sign("expired", days=-1),
            "ELSEWHERE": signer.sign("elsewhere", host="kafka.bank.example"),
        }  # fmt: skip
        names = ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
        plain = f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller}"
        self.settings = {
            "listeners": f"{plain},{names}",
            "advertised.listeners": f"{plain},{names}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,"
            + ",".join(f"{name}:SASL_SSL" for name in ports),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",  # who comes in plain: the controller, and tests
            "allow.everyone.if.no.acl.found": "true",
        }
        for name, file in files.items():
            of = f"listener.name.{name.lower()}."
            self.settings |= {
                f"{of}ssl.keystore.type": "PEM", f"{of}ssl.keystore.location": file,
                f"{of}sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
                f"{of}plain.sasl.jaas.config": f'{_LOGIN}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
                f"{of}scram-sha-256.sasl.jaas.config": f"{_LOGIN}.scram.ScramLoginModule required;",
            }  # fmt: skip

    def add_user(self) -> None:
        """Let the user in by SCRAM; PLAIN is in the settings."""
        how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
        admin = self.admin()
        for done in admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(USER, how, PASSWORD.encode())]
        ).values():
            done.result(30)

    def deny_reading(self, topic: str) -> None:
        """Take the right to read a topic from the user, and leave all others."""
        rules = [
            AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{USER}", "*", operation, kind)
            for operation, kind in (
                (AclOperation.ALL, AclPermissionType.ALLOW), (AclOperation.READ, AclPermissionType.DENY),
            )
        ]  # fmt: skip
        admin = self.admin()
        for done in admin.create_acls(rules).values():
            done.result(30)

    def properties(self, path: Path, **changed: str) -> Path:
        """A file of what a client needs, as `--kafka-config` takes it, with some of it changed."""
        wanted = {
            "security.protocol": "SASL_SSL", "sasl.mechanisms": "SCRAM-SHA-256", "sasl.username": USER,
            "sasl.password": PASSWORD, "ssl.ca.location": str(self.authority),
        } | {name.replace("_", "."): value for name, value in changed.items()}  # fmt: skip
        path.write_text("".join(f"{name}={value}\n" for name, value in wanted.items() if value), encoding="utf-8")
        return path
