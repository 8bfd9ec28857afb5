# SPDX-License-Identifier: Apache-2.0
# The front door: each target is a few scripts of tools/ over meson. HACKING.md explains them.
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60
export PREFIX DESTDIR FUZZ_SECONDS

.PHONY: build demo test asan tsan fuzz crash bench tidy cover install deb clean help

build: ## compile into build/
	@tools/install-deps build
	@tools/build build

demo: build ## compile, then show a whole hand-off between agents
	@build/agog demo

test: ## compile and run every test; the last line counts them
	@tools/install-deps test
	@tools/build build
	@tools/install-npm build
	@tools/run-tests build

asan: ## the tests under the address and undefined-behaviour sanitizers
	@tools/run-sanitized build-asan address,undefined

tsan: ## the tests under the thread sanitizer
	@tools/run-sanitized build-tsan thread

fuzz: ## every fuzz target for FUZZ_SECONDS seconds (60)
	@tools/install-deps fuzz
	@tools/run-fuzz build-fuzz

crash: ## the long crash simulation of the store
	@tools/install-deps test
	@tools/build build
	@tools/run-crash build

bench: ## the benchmarks, as JSON, one object a line
	@tools/run-bench build-bench

tidy: ## layers, sizes, format, documents, static analysis
	@tools/install-deps tidy
	@tools/tidy build-tidy

cover: ## the tests with coverage, summed by room
	@tools/run-coverage build-cover

install: ## an optimised build into PREFIX (/usr/local), below DESTDIR when given
	@tools/install-deps build
	@tools/run-install build-release

deb: ## a Debian package in dist/
	@tools/build-deb build-deb

clean: ## remove everything the targets above made, but what install installed
	rm -rf build build-* dist

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile
