"""A Slurm of one's own on this machine: munge, a controller and nodes, all on 127.0.0.1.

Everything lies in one folder, and nothing of the machine's own configuration is read or changed.
"""

import os
import secrets
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from getpass import getuser

PATIENCE = 30
COMMANDS = ("sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol")
CONF = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmdSpoolDir={folder}/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
MailProg=/bin/true
MinJobAge=3600
KillWait=2
NodeName=DEFAULT CPUs={cpus} RealMemory=4000
NodeName=n[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port={ports}
PartitionName=main Nodes=ALL Default=YES
"""


@contextmanager
def slurm(folder, *, nodes=2, cpus=1):
    """Bring Slurm up in an empty folder; yield the environment in which its commands are used."""
    conf = folder / "slurm.conf"
    port, *others = free_ports(1 + nodes)
    names = [f"n{node + 1}" for node in range(nodes)]
    conf.write_text(
        CONF.format(
            folder=folder,
            host=socket.gethostname().partition(".")[0],
            user=getuser(),
            port=port,
            ports=f"[{','.join(map(str, others))}]",
            nodes=nodes,
            cpus=cpus,
        )
    )
    for name in ("state", "bin", *names):
        (folder / name).mkdir()
    for command in COMMANDS:  # the executor takes SLURM_CONF away from its jobs
        wrapper = folder / "bin" / command
        wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {shutil.which(command)} "$@"\n')
        wrapper.chmod(0o755)
    environment = {"PATH": f"{folder}/bin:{os.environ['PATH']}"}
    with ExitStack() as running:
        munge(running, folder)
        daemon(running, folder, "slurmctld", "-D", "-f", conf)
        for name in names:
            daemon(running, folder, "slurmd", "-D", "-f", conf, "-N", name)
        idle = [f"{folder}/bin/sinfo", "--noheader", "--states=idle", "--format=%D"]
        wait_for(lambda: output(*idle) == str(nodes), f"{nodes} idle nodes", folder)
        running.callback(cancel_all, folder)
        yield environment


def munge(running, folder):
    """Start munged with a key of its own."""
    key, listening = folder / "munge.key", folder / "munge.socket"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    # by force, since others may not enter the folder, nor do they need to
    daemon(running, folder, "munged", "-F", "--force", f"--socket={listening}", *files)
    wait_for(listening.exists, "munged", folder)


def daemon(running, folder, *command):
    """Start a daemon in the foreground of a process of ours, to be ended with the rest."""
    with (folder / f"{command[-1] if command[-2] == '-N' else command[0]}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    running.callback(end, process)


def end(process):
    """End a daemon, by force where it does not go."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cancel_all(folder):
    """Cancel every job and wait until none is left."""
    output(f"{folder}/bin/scancel", "--user", getuser())
    queue = [f"{folder}/bin/squeue", "--noheader", "--states=pending,running,completing"]
    wait_for(lambda: output(*queue) == "", "an empty queue", folder)


def output(*command):
    """Return what a command prints, or None if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def wait_for(condition, what, folder, patience=PATIENCE):
    """Wait until a condition holds."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            logs = "\n".join(path.read_text()[-2000:] for path in folder.glob("*.log"))
            raise TimeoutError(f"no {what} after {patience} s\n{logs}")
        time.sleep(0.1)


def free_ports(number):
    """Return ports that nothing listens on."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
