# Two stages: one builds the environment, the other only holds it. docs/deploy.md says how to run it.
# Pin the base by digest when releasing: docker buildx imagetools inspect python:3.11-slim-bookworm
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
# What runs and what builds the wheel, at the locked versions; a layer of its own, kept while those stay.
COPY deploy/image.lock deploy/build.lock ./
RUN python -m venv --without-pip /opt/storywatch \
    && pip --python /opt/storywatch install --require-hashes --no-deps -r image.lock \
    && pip install --require-hashes --no-deps -r build.lock
COPY pyproject.toml README.md LICENSE NOTICE config.yaml ./
COPY monitor ./monitor
COPY alerts ./alerts
COPY migrations ./migrations
RUN hatchling build -t wheel -d /tmp/dist \
    && pip --python /opt/storywatch install --no-index --no-deps /tmp/dist/*.whl \
    && python -m compileall -q /opt/storywatch/lib \
    && /opt/storywatch/bin/storywatch --version

FROM python:3.11-slim-bookworm
ARG REVISION=unknown
LABEL org.opencontainers.image.title="storywatch" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/storywatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUTF8=1 \
    STORYWATCH_STORAGE_URL=sqlite:////data/storywatch.db
COPY --from=build /opt/storywatch /opt/storywatch
RUN mkdir /data /config && chown 10001:10001 /data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["storywatch", "health", "--config", "/config/config.yaml"]
ENTRYPOINT ["storywatch"]
CMD ["run", "--config", "/config/config.yaml"]
