#include "verifier/silence.h"

#include "base/log.h"
#include "verifier/also.h"
#include "verifier/option.h"
#include "verifier/rule.h"
#include "verifier/verifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_BYTES_MAX 512

void verifier_silences_start(struct verifier_silences *silences)
{
    base_mutex_init(&silences->lock);
}

void verifier_silences_stop(struct verifier_silences *silences)
{
    while (silences->first != NULL) {
        struct verifier_silence *silence = silences->first;
        silences->first = silence->next;
        free(silence->reason);
        free(silence);
    }
    base_mutex_destroy(&silences->lock);
}

/* A silence once made stays until the kernel ends. */
static struct verifier_silence *find(struct verifier_silences *silences, const char *rule)
{
    base_mutex_lock(&silences->lock);
    struct verifier_silence *silence = silences->first;
    while (silence != NULL && strcmp(silence->rule->id, rule) != 0) {
        silence = silence->next;
    }
    base_mutex_unlock(&silences->lock);
    return silence;
}

static char *copy_of(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

bool verifier_silence(struct verifier_silences *silences, const char *rule, const char *reason)
{
    const struct verifier_rule *known = verifier_rule_find(rule);
    if (known == NULL || *reason == '\0') {
        return false;
    }
    if (find(silences, rule) != NULL) {
        return true;
    }
    struct verifier_silence *silence = calloc(1, sizeof(*silence));
    char *text = copy_of(reason);
    if (silence == NULL || text == NULL) {
        free(silence);
        free(text);
        return false;
    }
    silence->rule = known;
    silence->reason = text;
    base_mutex_lock(&silences->lock);
    silence->next = silences->first;
    silences->first = silence;
    base_mutex_unlock(&silences->lock);
    return true;
}

static bool read_item(struct verifier_silences *silences, const char *item, size_t length)
{
    char text[ITEM_BYTES_MAX];
    snprintf(text, sizeof(text), "%.*s", (int)length, item);
    char *reason = strchr(text, ':');
    if (reason != NULL) {
        *reason++ = '\0';
    }
    if (reason != NULL && verifier_silence(silences, text, reason)) {
        return true;
    }
    base_log("wskemu: WSKEMU_SILENCE: \"%.*s\" is not RULE:reason; %s.\n", (int)length, item,
             verifier_rule_find(text) == NULL ? "there is no such rule" : "there is no reason");
    return false;
}

bool verifier_silences_read_environment(struct verifier_silences *silences)
{
    bool is_right = true;
    const char *item = verifier_option_text(OPTION_SILENCE);
    while (*item != '\0') {
        size_t length = strcspn(item, ";");
        if (length != 0) {
            is_right = read_item(silences, item, length) && is_right;
        }
        item += length + (item[length] == ';');
    }
    return is_right;
}

void verifier_silences_report(struct verifier_silences *silences)
{
    for (const struct verifier_silence *silence = silences->first; silence != NULL;
         silence = silence->next) {
        base_log("silenced: rule %s would have spoken %u times (%s)\n", silence->rule->id,
                 silence->spoken, silence->reason);
    }
}

static struct verifier_silence *silence_of(const char *rule)
{
    struct verifier_state *verifier = verifier_state();
    return verifier != NULL && rule != NULL ? find(&verifier->silences, rule) : NULL;
}

/* The rule's own, or that of one that is broken with it: whoever silenced that one meant both. */
static struct verifier_silence *silence_for(const char *rule)
{
    unsigned next = 0;
    struct verifier_silence *silence = silence_of(rule);
    for (const char *also; silence == NULL && (also = verifier_rule_also(rule, &next)) != NULL;) {
        silence = silence_of(also);
    }
    return silence;
}

bool verifier_is_silenced(const char *rule)
{
    struct verifier_silence *silence = silence_for(rule);
    if (silence == NULL) {
        return false;
    }
    struct verifier_silences *silences = &verifier_state()->silences;
    base_mutex_lock(&silences->lock);
    silence->spoken++;
    base_mutex_unlock(&silences->lock);
    return true;
}

const char *verifier_silence_reason(const char *rule)
{
    const struct verifier_silence *silence = silence_for(rule);
    return silence != NULL ? silence->reason : NULL;
}
