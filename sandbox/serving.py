"""gunicorn's settings for the sandbox: one quiet worker, because one process holds the world."""

HOST = "127.0.0.1"
"""Nowhere else: whoever reaches the sandbox can speak for everybody in it."""

workers = 1
worker_class = "gthread"
threads = 32
keepalive = 30
# Two seconds of it are gunicorn's wait for kept-alive connections; killed sooner, it would say so.
graceful_timeout = 6
timeout = 120
loglevel = "error"
# Without this gunicorn leaves a socket in the home folder.
control_socket_disable = True
