/**
 * The smallest program that keeps to the protocol of copying (docs/internals/runtime-channel.md); the real one is
 * the Python runtime.
 */

/** Copies itself at every byte it reads; a copy says its number and obeys one word. */
export const template = `
import os, signal, socket, time
channel = socket.socket(fileno=3)
while True:
    data, files, _, _ = socket.recv_fds(channel, 1, 4)
    if not data:
        os._exit(0)
    keeper = os.fork()
    if keeper:
        for file in files:
            os.close(file)
        continue
    os.setsid()
    copy = os.fork()
    if copy:
        os.closerange(0, files[2])
        os.closerange(files[2] + 1, 1024)
        os.write(files[2], b"%d %d\\n" % (os.getpid(), copy))
        os.write(files[2], b"%d\\n" % os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]))
        os._exit(0)
    os.close(files[2])
    os.dup2(files[0], 3)
    os.dup2(files[1], 1)
    os.write(1, b"%d\\n" % os.getpid())
    word = channel.recvmsg(16)[0]
    if word == b"exit":
        os._exit(7)
    if word == b"abort":
        os.kill(os.getpid(), signal.SIGABRT)
    time.sleep(1000)
`;

/** Leaves a file in /tmp when it is told to go on, and ends when it is asked for a copy. */
export const dyingTemplate = `
import os, socket
channel = socket.socket(fileno=3)
channel.recvmsg(1)
open("/tmp/left", "w").close()
os.write(1, b"waiting\\n")
channel.recvmsg(1)
os._exit(3)
`;
