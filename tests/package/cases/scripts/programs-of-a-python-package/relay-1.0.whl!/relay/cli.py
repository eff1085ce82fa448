import subprocess


def main():
    subprocess.run(['systemctl', 'restart', 'relayd'], check=True)
