# What the daemon needs is pinned by hash in config/requirements.txt (`make requirements`), and
# nothing else is downloaded. docs/install-docker.md tells how to run the image.

FROM python:3.13-slim AS build
# Another index than pip's own; what does not have the pinned hashes is refused all the same.
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY config/requirements.txt config/requirements-build.txt config/
# The environment gets no pip of its own: nothing can be installed where it runs.
RUN python -m venv --without-pip /opt/demurrage \
    && python -m pip --python /opt/demurrage/bin/python install --quiet --only-binary :all: \
        --require-hashes --requirement config/requirements.txt \
    && python -m pip install --quiet --only-binary :all: \
        --require-hashes --requirement config/requirements-build.txt
COPY . .
RUN python -m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir /wheel . \
    && python -m pip --python /opt/demurrage/bin/python install --quiet --no-deps --no-index \
        /wheel/*.whl \
    && /opt/demurrage/bin/demurrage --version

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Demurrage" \
    org.opencontainers.image.description="Deletes the orphaned containers that OpenAI's Code Interpreter leaves on your bill, on proof, never on suspicion." \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.licenses="MIT"
# The store lives in a volume that the daemon's own user may write. Two more places are there for
# volumes to be put: event files, and the socket, which its group may use. The SDK trusts whom the
# operating system trusts, so a base without authorities must not pass. What installs packages is
# of no use any more.
RUN groupadd --gid 9470 demurrage \
    && useradd --uid 9470 --gid 9470 --home-dir /var/lib/demurrage --shell /usr/sbin/nologin demurrage \
    && install -d -o 9470 -g 9470 -m 700 /var/lib/demurrage \
    && install -d -o 9470 -g 9470 -m 2770 /var/lib/demurrage-events \
    && install -d -o 9470 -g 9470 -m 750 /run/demurrage \
    && python -c 'import ssl; assert ssl.create_default_context().cert_store_stats()["x509_ca"]' \
    && python -m pip uninstall --quiet --yes --root-user-action ignore pip
COPY --from=build /opt/demurrage /opt/demurrage
# SQLite's large sorts may need a file for a moment; the volume is all that can be written.
ENV PATH=/opt/demurrage/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STATE_DIRECTORY=/var/lib/demurrage \
    SQLITE_TMPDIR=/var/lib/demurrage
USER 9470:9470
VOLUME /var/lib/demurrage
EXPOSE 9470
# Not the exit codes of `check` itself: to a health check 2 has no meaning.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD demurrage check --alive || exit 1
# The daemon is process 1 and handles its signals: SIGTERM finishes the deletes under way, SIGHUP
# reads the settings again.
STOPSIGNAL SIGTERM
ENTRYPOINT ["demurrage"]
CMD ["run"]
