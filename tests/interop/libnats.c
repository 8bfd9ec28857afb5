// SPDX-License-Identifier: Apache-2.0
// The C client that Debian packages, against the server at the URL given: prints TAP. A case stops
// at its first CHECK that does not hold; what it made is left to the server's end.
#include <nats/nats.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 20000, MANY = 500 };

static bool failed_at(int line, const char *what)
{
    printf("# line %d: %s (%s)\n", line, what, nats_GetLastError(NULL));
    return false;
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return failed_at(__LINE__, #condition);                                                \
    } while (0)
#define CHECK_OK(call) CHECK((call) == NATS_OK)

struct clients {
    natsConnection *nc;
    jsCtx *js;
};

static bool body_is(natsMsg *message, const char *text)
{
    size_t size = (size_t)natsMsg_GetDataLength(message);
    return size == strlen(text) && memcmp(natsMsg_GetData(message), text, size) == 0;
}

// A stream of the name on "<name>.>".
static bool make_stream(struct clients *my, const char *name)
{
    char subject[64];
    const char *subjects[] = {subject};
    jsStreamConfig config;
    jsStreamInfo *info = NULL;
    snprintf(subject, sizeof subject, "%s.>", name);
    CHECK_OK(jsStreamConfig_Init(&config));
    config.Name = name;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    CHECK_OK(js_AddStream(&info, my->js, &config, NULL, NULL));
    CHECK(strcmp(info->Config->Name, name) == 0);
    CHECK(info->State.Msgs == 0);
    jsStreamInfo_Destroy(info);
    return true;
}

static bool fill(struct clients *my, const char *subject, int count)
{
    char body[16];
    for (int i = 1; i <= count; i++) {
        snprintf(body, sizeof body, "m%d", i);
        CHECK_OK(js_Publish(NULL, my->js, subject, body, (int)strlen(body), NULL, NULL));
    }
    return true;
}

static bool requests_are_answered(struct clients *my)
{
    natsSubscription *sub = NULL;
    natsMsg *question = NULL;
    natsMsg *reply = NULL;
    natsInbox *inbox = NULL;
    CHECK_OK(natsInbox_Create(&inbox));
    CHECK_OK(natsConnection_SubscribeSync(&sub, my->nc, "c.ask"));
    CHECK_OK(natsConnection_PublishRequestString(my->nc, "c.ask", inbox, "how many"));
    CHECK_OK(natsSubscription_NextMsg(&question, sub, WAIT_MS));
    CHECK(body_is(question, "how many"));
    CHECK(strcmp(natsMsg_GetReply(question), inbox) == 0);
    CHECK(natsConnection_RequestString(&reply, my->nc, "c.nobody", "x", WAIT_MS) ==
          NATS_NO_RESPONDERS);
    natsMsg_Destroy(question);
    natsInbox_Destroy(inbox);
    natsSubscription_Destroy(sub);
    return true;
}

static bool headers_come_through(struct clients *my)
{
    natsSubscription *sub = NULL;
    natsMsg *out = NULL;
    natsMsg *in = NULL;
    const char *value = NULL;
    const char **values = NULL;
    int count = 0;
    CHECK_OK(natsConnection_SubscribeSync(&sub, my->nc, "c.headers"));
    CHECK_OK(natsMsg_Create(&out, "c.headers", NULL, "body", 4));
    CHECK_OK(natsMsgHeader_Set(out, "X-Agent", "cynthia"));
    CHECK_OK(natsMsgHeader_Add(out, "X-Agent", "roy"));
    CHECK_OK(natsMsgHeader_Set(out, "x-lower", "kept"));
    CHECK_OK(natsConnection_PublishMsg(my->nc, out));
    CHECK_OK(natsSubscription_NextMsg(&in, sub, WAIT_MS));
    CHECK_OK(natsMsgHeader_Get(in, "x-lower", &value));
    CHECK(strcmp(value, "kept") == 0);
    CHECK_OK(natsMsgHeader_Values(in, "X-Agent", &values, &count));
    CHECK(count == 2 && strcmp(values[0], "cynthia") == 0 && strcmp(values[1], "roy") == 0);
    free((void *)values);
    natsMsg_Destroy(out);
    natsMsg_Destroy(in);
    natsSubscription_Destroy(sub);
    return true;
}

static bool publishing_is_acknowledged(struct clients *my)
{
    jsPubAck *ack = NULL;
    jsPubOptions options;
    jsErrCode code = 0;
    CHECK(make_stream(my, "CPUB"));
    CHECK_OK(jsPubOptions_Init(&options));
    options.MsgId = "once";
    CHECK_OK(js_Publish(&ack, my->js, "CPUB.a", "one", 3, &options, NULL));
    CHECK(strcmp(ack->Stream, "CPUB") == 0 && ack->Sequence == 1 && !ack->Duplicate);
    jsPubAck_Destroy(ack);
    CHECK_OK(js_Publish(&ack, my->js, "CPUB.a", "one", 3, &options, NULL));
    CHECK(ack->Sequence == 1 && ack->Duplicate);
    jsPubAck_Destroy(ack);
    CHECK_OK(jsPubOptions_Init(&options));
    options.ExpectLastSeq = 7;
    CHECK(js_Publish(&ack, my->js, "CPUB.a", "two", 3, &options, &code) != NATS_OK);
    CHECK(code == JSStreamWrongLastSequenceErr);
    CHECK(js_Publish(&ack, my->js, "c.nostream", "x", 1, NULL, NULL) == NATS_NO_RESPONDERS);
    return true;
}

static bool publishing_without_waiting_arrives(struct clients *my)
{
    jsPubOptions options;
    jsStreamInfo *info = NULL;
    CHECK(make_stream(my, "CASYNC"));
    for (int i = 0; i < MANY; i++)
        CHECK_OK(js_PublishAsync(my->js, "CASYNC.a", "x", 1, NULL));
    CHECK_OK(jsPubOptions_Init(&options));
    options.MaxWait = WAIT_MS;
    CHECK_OK(js_PublishAsyncComplete(my->js, &options));
    CHECK_OK(js_GetStreamInfo(&info, my->js, "CASYNC", NULL, NULL));
    CHECK(info->State.Msgs == MANY && info->State.LastSeq == MANY);
    jsStreamInfo_Destroy(info);
    return true;
}

static bool a_push_subscription_delivers_and_acknowledges(struct clients *my)
{
    natsSubscription *sub = NULL;
    jsConsumerInfo *info = NULL;
    char body[16];
    CHECK(make_stream(my, "CPUSH"));
    CHECK(fill(my, "CPUSH.a", 20));
    CHECK_OK(js_SubscribeSync(&sub, my->js, "CPUSH.a", NULL, NULL, NULL));
    for (int i = 1; i <= 20; i++) {
        natsMsg *message = NULL;
        snprintf(body, sizeof body, "m%d", i);
        CHECK_OK(natsSubscription_NextMsg(&message, sub, WAIT_MS));
        CHECK(body_is(message, body));
        CHECK_OK(natsMsg_AckSync(message, NULL, NULL));
        natsMsg_Destroy(message);
    }
    CHECK_OK(natsSubscription_GetConsumerInfo(&info, sub, NULL, NULL));
    CHECK(info->AckFloor.Stream == 20 && info->NumAckPending == 0);
    jsConsumerInfo_Destroy(info);
    natsSubscription_Destroy(sub);
    return true;
}

static bool a_pull_subscription_fetches_and_naks(struct clients *my)
{
    natsSubscription *sub = NULL;
    natsMsgList list = {NULL, 0};
    jsMsgMetaData *meta = NULL;
    CHECK(make_stream(my, "CPULL"));
    CHECK(fill(my, "CPULL.a", 5));
    CHECK_OK(js_PullSubscribe(&sub, my->js, "CPULL.a", "durable", NULL, NULL, NULL));
    CHECK_OK(natsSubscription_Fetch(&list, sub, 5, WAIT_MS, NULL));
    CHECK(list.Count == 5 && body_is(list.Msgs[4], "m5"));
    CHECK_OK(natsMsg_Nak(list.Msgs[2], NULL));
    natsMsgList_Destroy(&list);
    CHECK_OK(natsSubscription_Fetch(&list, sub, 1, WAIT_MS, NULL));
    CHECK(list.Count == 1 && body_is(list.Msgs[0], "m3"));
    CHECK_OK(natsMsg_GetMetaData(&meta, list.Msgs[0]));
    CHECK(meta->NumDelivered == 2 && meta->Sequence.Stream == 3);
    jsMsgMetaData_Destroy(meta);
    CHECK_OK(natsMsg_AckSync(list.Msgs[0], NULL, NULL));
    natsMsgList_Destroy(&list);
    CHECK(natsSubscription_Fetch(&list, sub, 1, 300, NULL) == NATS_TIMEOUT);
    natsSubscription_Destroy(sub);
    return true;
}

static bool an_ordered_subscription_reads_all_in_order(struct clients *my)
{
    natsSubscription *sub = NULL;
    jsSubOptions options;
    CHECK(make_stream(my, "CORDER"));
    CHECK(fill(my, "CORDER.a", MANY));
    CHECK_OK(jsSubOptions_Init(&options));
    options.Ordered = true;
    CHECK_OK(js_SubscribeSync(&sub, my->js, "CORDER.>", NULL, &options, NULL));
    for (uint64_t i = 1; i <= MANY; i++) {
        natsMsg *message = NULL;
        jsMsgMetaData *meta = NULL;
        CHECK_OK(natsSubscription_NextMsg(&message, sub, WAIT_MS));
        CHECK_OK(natsMsg_GetMetaData(&meta, message));
        CHECK(meta->Sequence.Stream == i);
        jsMsgMetaData_Destroy(meta);
        natsMsg_Destroy(message);
    }
    natsSubscription_Destroy(sub);
    return true;
}

static bool make_bucket(struct clients *my, const char *name, kvStore **kv)
{
    kvConfig config;
    CHECK_OK(kvConfig_Init(&config));
    config.Bucket = name;
    config.History = 5;
    CHECK_OK(js_CreateKeyValue(kv, my->js, &config));
    return true;
}

static bool a_bucket_keeps_and_guards_keys(struct clients *my)
{
    kvStore *kv = NULL;
    kvEntry *entry = NULL;
    uint64_t revision = 0;
    CHECK(make_bucket(my, "ckv", &kv));
    CHECK_OK(kvStore_PutString(&revision, kv, "agent.roy", "busy"));
    CHECK(revision == 1);
    CHECK_OK(kvStore_Get(&entry, kv, "agent.roy"));
    CHECK(strcmp(kvEntry_ValueString(entry), "busy") == 0 && kvEntry_Revision(entry) == 1);
    kvEntry_Destroy(entry);
    CHECK_OK(kvStore_UpdateString(&revision, kv, "agent.roy", "idle", 1));
    CHECK(kvStore_UpdateString(&revision, kv, "agent.roy", "lost", 1) != NATS_OK);
    CHECK(kvStore_CreateString(&revision, kv, "agent.roy", "lost") != NATS_OK);
    CHECK_OK(kvStore_Delete(kv, "agent.roy"));
    CHECK(kvStore_Get(&entry, kv, "agent.roy") == NATS_NOT_FOUND);
    CHECK_OK(kvStore_CreateString(&revision, kv, "agent.roy", "back"));
    CHECK(revision == 4);
    kvStore_Destroy(kv);
    return true;
}

static bool a_bucket_lists_keys_and_history_and_is_watched(struct clients *my)
{
    kvStore *kv = NULL;
    kvKeysList keys = {NULL, 0};
    kvEntryList history = {NULL, 0};
    kvWatcher *watcher = NULL;
    kvEntry *entry = NULL;
    CHECK(make_bucket(my, "ckvlist", &kv));
    CHECK_OK(kvStore_PutString(NULL, kv, "a", "one"));
    CHECK_OK(kvStore_PutString(NULL, kv, "a", "two"));
    CHECK_OK(kvStore_PutString(NULL, kv, "b", "three"));
    CHECK_OK(kvStore_Keys(&keys, kv, NULL));
    CHECK(keys.Count == 2);
    kvKeysList_Destroy(&keys);
    CHECK_OK(kvStore_History(&history, kv, "a", NULL));
    CHECK(history.Count == 2 && strcmp(kvEntry_ValueString(history.Entries[0]), "one") == 0);
    kvEntryList_Destroy(&history);
    CHECK_OK(kvStore_WatchAll(&watcher, kv, NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(kvWatcher_Next(&entry, watcher, WAIT_MS));
        CHECK(entry != NULL);
        kvEntry_Destroy(entry);
    }
    // What was there is over.
    CHECK_OK(kvWatcher_Next(&entry, watcher, WAIT_MS));
    CHECK(entry == NULL);
    CHECK_OK(kvStore_PutString(NULL, kv, "c", "new"));
    CHECK_OK(kvWatcher_Next(&entry, watcher, WAIT_MS));
    CHECK(entry != NULL && strcmp(kvEntry_Key(entry), "c") == 0);
    kvEntry_Destroy(entry);
    kvWatcher_Destroy(watcher);
    kvStore_Destroy(kv);
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct clients *my);
} cases[] = {
    {"requests are answered, or refused at once", requests_are_answered},
    {"headers come through with all their values", headers_come_through},
    {"publishing is acknowledged, once an id, and guarded", publishing_is_acknowledged},
    {"publishing without waiting arrives", publishing_without_waiting_arrives},
    {"a push subscription delivers and acknowledges",
     a_push_subscription_delivers_and_acknowledges},
    {"a pull subscription fetches and naks", a_pull_subscription_fetches_and_naks},
    {"an ordered subscription reads all in order", an_ordered_subscription_reads_all_in_order},
    {"a bucket keeps and guards keys", a_bucket_keeps_and_guards_keys},
    {"a bucket lists keys and history and is watched",
     a_bucket_lists_keys_and_history_and_is_watched},
};

int main(int argc, char **argv)
{
    struct clients my = {NULL, NULL};
    size_t count = sizeof cases / sizeof cases[0];
    int failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%zu\n", count);
    bool connected = argc == 2 && natsConnection_ConnectTo(&my.nc, argv[1]) == NATS_OK &&
                     natsConnection_JetStream(&my.js, my.nc, NULL) == NATS_OK;
    for (size_t i = 0; i < count; i++) {
        bool good = connected && cases[i].run(&my);
        failed += !good;
        printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, cases[i].name);
    }
    jsCtx_Destroy(my.js);
    natsConnection_Destroy(my.nc);
    nats_Close();
    return failed == 0 ? 0 : 1;
}
