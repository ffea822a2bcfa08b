# syntax=docker/dockerfile:1

FROM python:3.13-slim AS build
WORKDIR /build
COPY . .
RUN pip wheel --quiet --no-deps --wheel-dir /wheel . \
    && python -m venv /opt/demurrage \
    && /opt/demurrage/bin/pip install --quiet --no-cache-dir "$(echo /wheel/*.whl)[azure,postgres]"

FROM python:3.13-slim
COPY --from=build /opt/demurrage /opt/demurrage
# The store lives in a volume that the daemon's own user may write, and nothing else does.
RUN useradd --system --uid 9470 --home-dir /var/lib/demurrage --create-home demurrage
ENV PATH=/opt/demurrage/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STATE_DIRECTORY=/var/lib/demurrage
USER 9470:9470
VOLUME /var/lib/demurrage
EXPOSE 9470
ENTRYPOINT ["demurrage"]
CMD ["run"]
