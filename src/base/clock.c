// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "base/assert.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    int failed = clock_gettime(id, &now);
    ASSERT(failed == 0);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_realtime_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void clock_pause(uint32_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0)
        ;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static size_t format_date(int64_t seconds, char out[CLOCK_RFC3339_SIZE])
{
    time_t t = (time_t)seconds;
    struct tm utc;
    struct tm *ok = gmtime_r(&t, &utc);
    ASSERT(ok != NULL);
    return strftime(out, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
}

const char *clock_format(int64_t time_ns, char out[CLOCK_RFC3339_SIZE])
{
    int64_t seconds = floor_div(time_ns, NS_PER_S);
    int fraction = (int)(time_ns - seconds * NS_PER_S);
    size_t size = format_date(seconds, out);
    if (fraction != 0) {
        size += (size_t)snprintf(out + size, CLOCK_RFC3339_SIZE - size, ".%09d", fraction);
        while (out[size - 1] == '0')
            size--;
    }
    out[size] = 'Z';
    out[size + 1] = '\0';
    return out;
}

const char *clock_format_seconds(int64_t time_ns, char out[CLOCK_RFC3339_SIZE])
{
    int64_t seconds = floor_div(time_ns, NS_PER_S);
    size_t size = format_date(seconds, out);
    out[size] = 'Z';
    out[size + 1] = '\0';
    return out;
}

// Takes exactly `digits` digits off the front.
static bool take_number(struct bytes *text, size_t digits, int64_t *value)
{
    uint64_t number;
    struct bytes part = bytes_slice(*text, 0, digits);
    if (part.size != digits || !bytes_to_u64(part, &number))
        return false;
    *text = bytes_from(*text, digits);
    *value = (int64_t)number;
    return true;
}

static bool take_char(struct bytes *text, char wanted)
{
    if (text->size == 0 || text->data[0] != wanted)
        return false;
    *text = bytes_from(*text, 1);
    return true;
}

// Days since 1970-01-01 of a date in the proleptic Gregorian calendar: years are counted from
// March, so that the leap day is the last of its year.
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2)
        year--;
    int64_t shifted = (month + 9) % 12;
    int64_t day_of_year = (153 * shifted + 2) / 5 + day - 1;
    return 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

static bool take_fraction(struct bytes *text, int64_t *ns)
{
    *ns = 0;
    if (!take_char(text, '.'))
        return true;
    int64_t unit = NS_PER_S / 10;
    size_t digits = 0;
    for (; text->size > 0 && text->data[0] >= '0' && text->data[0] <= '9'; digits++) {
        *ns += (text->data[0] - '0') * unit;
        unit /= 10;
        *text = bytes_from(*text, 1);
    }
    return digits >= 1 && digits <= 9;
}

static bool take_offset(struct bytes *text, int64_t *seconds)
{
    *seconds = 0;
    if (take_char(text, 'Z') || take_char(text, 'z'))
        return true;
    bool behind = text->size > 0 && text->data[0] == '-';
    int64_t hours, minutes;
    if (!take_char(text, behind ? '-' : '+') || !take_number(text, 2, &hours) ||
        !take_char(text, ':') || !take_number(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = (hours * 60 + minutes) * (behind ? -60 : 60);
    return true;
}

static bool days_in_month_allow(int64_t year, int64_t month, int64_t day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool clock_parse(struct bytes text, int64_t *time_ns)
{
    int64_t year, month, day, hour, minute, second, fraction, offset;
    if (!take_number(&text, 4, &year) || !take_char(&text, '-') || !take_number(&text, 2, &month) ||
        !take_char(&text, '-') || !take_number(&text, 2, &day) ||
        !(take_char(&text, 'T') || take_char(&text, 't')))
        return false;
    if (!take_number(&text, 2, &hour) || !take_char(&text, ':') ||
        !take_number(&text, 2, &minute) || !take_char(&text, ':') ||
        !take_number(&text, 2, &second) || !take_fraction(&text, &fraction) ||
        !take_offset(&text, &offset) || text.size != 0)
        return false;
    if (year < 1970 || year > 2261 || !days_in_month_allow(year, month, day) || hour > 23 ||
        minute > 59 || second > 59)
        return false;
    int64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *time_ns = (seconds - offset) * NS_PER_S + fraction;
    return true;
}
