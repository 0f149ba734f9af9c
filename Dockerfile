# A static binary, a CA bundle, a configuration and a place for state: no shell, no libraries, no root.
# How it is run, and what that looks like: docs/containers.md.

FROM rust:1-slim-bookworm AS build

# `demo` brings the sample shop and `sylvan demo`.
ARG FEATURES=""

# glibc rather than musl: the toolchain of this image suffices for it, and its allocator suits many threads better.
# Since 2.34 its resolver needs no shared objects. The explicit target keeps build scripts and macros dynamic.
ENV RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_BUILD_TARGET=host-tuple \
    BUILD="cargo build --locked --profile dist --bin sylvan --no-default-features --features"

WORKDIR /build

# The dependencies in a layer of their own, which a change of the source leaves alone.
COPY Cargo.toml Cargo.lock ./
COPY patches patches
RUN mkdir src && echo '//! Stub' > src/lib.rs && printf '//! Stub\nfn main() {}\n' > src/main.rs && $BUILD "$FEATURES"

# Sources are older than what the stub left, so Cargo is told that they are new.
COPY conf/demo.yaml conf/
COPY src src
RUN touch src/lib.rs src/main.rs && $BUILD "$FEATURES" && mv target/*/dist/sylvan /sylvan && mkdir /state

FROM scratch

COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt

COPY conf/container.yaml /etc/sylvan/gateway.yaml
COPY --from=build /sylvan /sylvan

# Relative paths of a configuration start here, so what it writes lands on the volume.
COPY --from=build --chown=65532:65532 /state /var/lib/sylvan
WORKDIR /var/lib/sylvan
VOLUME /var/lib/sylvan

# By number: there is no /etc/passwd, and Kubernetes' runAsNonRoot wants to see that it is not 0.
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/sylvan", "healthcheck"]
ENTRYPOINT ["/sylvan"]
CMD ["run", "-c", "/etc/sylvan/gateway.yaml"]

# Last, since they change with every build.
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sylvan" \
      org.opencontainers.image.description="An edge gateway on Pingora that learns where to send each request" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
