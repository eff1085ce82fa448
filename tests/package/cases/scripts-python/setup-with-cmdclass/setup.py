from setuptools import setup
from setuptools.command.install import install
import subprocess


class AfterInstall(install):
    """Registers the agent."""

    def run(self):
        install.run(self)
        subprocess.check_call(["systemctl", "enable", "--now", "ledger-agent"])


setup(name="ledger-agent", version="4.2", cmdclass={"install": AfterInstall}, entry_points={"console_scripts": ["ledger-agent = ledger.agent:main"]})
