#!/bin/sh
# Makes a stand-in for the Dockerfile's build image, on a Debian machine that reaches a Debian mirror but no image
# registry. It has what the official one has that the Dockerfile uses: a C compiler, the CA bundle, and Rust, which is
# this machine's own toolchain. Run it as root; where there is a registry nobody needs it.
#
#   deploy/container-base.sh                            # into podman
#   ENGINE=docker deploy/container-base.sh
#   MIRROR=http://mirror.example/debian deploy/container-base.sh
set -eu

image=docker.io/library/rust:1-slim-bookworm
engine=${ENGINE:-podman}
mirror=${MIRROR:-http://deb.debian.org/debian}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev bookworm "$root" "$mirror"
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/locale/* \
    "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*

toolchain=$(rustc --print sysroot)
host=$(rustc --print host-tuple)
mkdir -p "$root/usr/local/lib/rustlib"
cp "$toolchain/bin/cargo" "$toolchain/bin/rustc" "$root/usr/local/bin/"
cp "$toolchain"/lib/*.so* "$root/usr/local/lib/"
cp -R "$toolchain/lib/rustlib/$host" "$root/usr/local/lib/rustlib/"

tar -C "$root" -c . | "$engine" import -c 'CMD ["bash"]' - "$image"
