import os
from setuptools import setup
from setuptools.command.install import install


class After(install):
    def run(self):
        install.run(self)
        os.system('systemctl restart relayd')


setup(name='relay', version='1.0', cmdclass={'install': After})
