// SPDX-License-Identifier: Apache-2.0
// What the first system did with its client (nats 2.29.3), written anew from what is known of it:
// a stream for each of six agents, reports as JSON envelopes, notices, statuses.
import { load } from "./interop.mjs";

export const nats = load("nats");

export const AGENTS = {
    cynthia: "research", sylvia: "critique", roy: "backend", jen: "frontend", billy: "qa",
    priya: "statistics",
};

const DAY_MS = 24 * 3600 * 1000;

export const streamOf = (agent) => {
    const kind = AGENTS[agent];
    if (!kind) {
        throw new Error(`Unknown agent: ${agent}`);
    }
    return `agog_features_${kind}`;
};

export const channel = (agent, taskType, feature) =>
    `agog.deliverables.${agent}.${taskType}.${feature}`;

export class FirstClient {
    static async connect(servers, options = {}) {
        const made = new FirstClient();
        made.nc = await nats.connect({ servers, name: "agogsaas-orchestrator", maxReconnectAttempts: -1,
            reconnectTimeWait: 50, ...options });
        made.js = made.nc.jetstream();
        made.jsm = await made.nc.jetstreamManager();
        return made;
    }

    /** Makes the six streams; those that are there stay as they are. */
    async initialize() {
        for (const [agent, kind] of Object.entries(AGENTS)) {
            const name = `agog_features_${kind}`;
            try {
                await this.jsm.streams.info(name);
            } catch {
                await this.jsm.streams.add({
                    name, subjects: [`agog.deliverables.${agent}.>`], storage: nats.StorageType.File,
                    retention: nats.RetentionPolicy.Limits, discard: nats.DiscardPolicy.Old,
                    max_msgs: 10000, max_bytes: 1024 ** 3, max_age: nats.nanos(7 * DAY_MS),
                    max_msg_size: 10 * 1024 ** 2, duplicate_window: nats.nanos(120000),
                });
            }
        }
    }

    /** Stores a report; its id is "<stream>.<sequence>". */
    async publishReport({ agent, taskType, featureName, reportContent, metadata }, options = {}) {
        const envelope = { content: reportContent, metadata: { agent, taskType, feature: featureName,
            timestamp: new Date().toISOString(), ...metadata } };
        const ack = await this.js.publish(channel(agent, taskType, featureName),
            nats.JSONCodec().encode(envelope), options);
        return `${ack.stream}.${ack.seq}`;
    }

    /** The newest report, or null. */
    async fetchReport({ agent, taskType, featureName }) {
        try {
            const stored = await this.jsm.streams.getMessage(streamOf(agent),
                { last_by_subj: channel(agent, taskType, featureName) });
            const { content, metadata } = stored.json();
            return { content, metadata, sequence: stored.seq, timestamp: stored.time };
        } catch (error) {
            if (error.code === "404") {
                return null;
            }
            throw error;
        }
    }

    async statuses() {
        const found = [];
        for await (const { config, state } of this.jsm.streams.list()) {
            found.push({ name: config.name, messages: state.messages, bytes: state.bytes,
                first_seq: state.first_seq, last_seq: state.last_seq, consumer_count: state.consumer_count });
        }
        return found;
    }

    notice(agent, task, nats_channel, summary, options = {}) {
        return { agent, task, status: "complete", nats_channel, summary, complexity: "Medium",
            blockers: "None", ready_for_next_stage: true, completion_time: new Date().toISOString(), ...options };
    }
}
