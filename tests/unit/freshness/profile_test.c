// SPDX-License-Identifier: Apache-2.0
#include "freshness/profile.h"

#include <dirent.h>
#include <math.h>

#include "freshness/profile_lint.h"
#include "freshness/profile_set.h"
#include "tests/support/check.h"

struct findings {
    char text[8000];
    size_t len;
};

static void collect(void *context, enum lint_severity severity, const char *key,
                    const char *text)
{
    struct findings *all = context;
    int written =
        snprintf(all->text + all->len, sizeof all->text - all->len, "%s %s: %s\n",
                 severity == LINT_ERROR ? "error" : "warning", key, text);
    if (written > 0 && all->len + (size_t)written < sizeof all->text)
        all->len += (size_t)written;
}

static void every_built_in_profile_passes_the_linter(void)
{
    struct profile_set *set = profile_set_create();
    CHECK(profile_set_count(set) == 49); /* 46 commodities and three of our own */
    for (size_t i = 0; i < profile_set_count(set); i++) {
        const struct profile *profile = profile_set_get(set, i);
        struct findings all = {.len = 0};
        size_t errors = profile_lint(profile, collect, &all);
        if (errors > 0)
            printf("\n  %s: %s", profile->id, all.text);
        CHECK_ROW(profile->id, errors == 0);
        CHECK_ROW(profile->id, profile->name_zh[0] != '\0');
    }
    profile_set_destroy(set);
}

static void every_known_number_has_a_source_and_a_mark(void)
{
    struct profile_set *set = profile_set_create();
    size_t known = 0, unknown = 0;
    for (size_t i = 0; i < profile_set_count(set); i++) {
        const struct profile *profile = profile_set_get(set, i);
        for (int k = 0; k < PROFILE_KEY_COUNT; k++) {
            const struct profile_number *number = &profile->numbers[k];
            bool is_known = !isnan(number->value);
            known += is_known;
            unknown += !is_known;
            CHECK_ROW(profile->id, is_known == (number->mark != PROFILE_UNKNOWN));
            CHECK_ROW(profile->id, !is_known || number->source != NULL);
        }
    }
    CHECK(known > 500 && unknown > 500); /* nothing was filled in to look complete */
    profile_set_destroy(set);
}

static void our_three_profiles_inherit(void)
{
    static const struct {
        const char *id;
        enum profile_key key;
        double want;
        enum profile_mark mark;
    } rows[] = {
        {"wushan_crisp_plum", PROFILE_TEMPERATURE_MIN, 0, PROFILE_SPECIFIC},
        {"wushan_crisp_plum", PROFILE_TEMPERATURE_MAX, 1, PROFILE_SPECIFIC},
        {"wushan_crisp_plum", PROFILE_ALARM_LOW, -0.5, PROFILE_DERIVED},
        {"wushan_crisp_plum", PROFILE_FREEZING_POINT, -1, PROFILE_INHERITED},
        {"wushan_crisp_plum", PROFILE_CHILLING_ZONE_MIN, 2, PROFILE_INHERITED},
        {"wushan_crisp_plum", PROFILE_CHILLING_ZONE_MAX, 7, PROFILE_INHERITED},
        {"wushan_crisp_plum", PROFILE_KINETICS_EA, 62.8, PROFILE_INHERITED},
        {"wushan_crisp_plum", PROFILE_PRECOOL_WITHIN, 3, PROFILE_SPECIFIC},
        {"fengjie_navel_orange", PROFILE_KINETICS_EA, 73.6, PROFILE_INHERITED},
        {"fengjie_navel_orange", PROFILE_TEMPERATURE_MIN, 6, PROFILE_INHERITED},
        {"tongnan_lemon", PROFILE_CHILLING_THRESHOLD_MAX, 13, PROFILE_INHERITED},
        {"tongnan_lemon", PROFILE_LIFE_MAX, 180, PROFILE_INHERITED},
    };
    struct profile_set *set = profile_set_create();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct profile *profile = profile_set_find(set, rows[i].id);
        CHECK_ROW(rows[i].id, profile != NULL);
        if (profile == NULL)
            continue;
        CHECK_ROW(profile_key_name(rows[i].key),
                  fabs(profile_value(profile, rows[i].key) - rows[i].want) < 1e-12);
        CHECK_ROW(profile_key_name(rows[i].key),
                  profile->numbers[rows[i].key].mark == rows[i].mark);
        CHECK_ROW(rows[i].id, !profile->uses_mkt);
    }
    profile_set_destroy(set);
}

static const struct profile_phase *phase_of(const struct profile *profile, const char *id)
{
    for (size_t i = 0; profile != NULL && i < profile->phase_count; i++)
        if (strcmp(profile->phases[i].id, id) == 0)
            return &profile->phases[i];
    return NULL;
}

static void planned_phases_are_there(void)
{
    struct profile_set *set = profile_set_create();
    const struct profile *plum = profile_set_find(set, "wushan_crisp_plum");
    const struct profile *orange = profile_set_find(set, "fengjie_navel_orange");
    const struct profile *lemon = profile_set_find(set, "tongnan_lemon");
    const struct profile_phase *hold = phase_of(plum, "hold");
    CHECK(hold != NULL && hold->temperature[0] == 4 && hold->days[1] == 2);
    CHECK(phase_of(plum, "precooling") != NULL && phase_of(plum, "warming") != NULL);
    CHECK(phase_of(orange, "curing") != NULL && phase_of(orange, "degreening") != NULL);
    CHECK(phase_of(lemon, "curing") != NULL && phase_of(lemon, "degreening") != NULL);
    const struct profile_phase *curing = phase_of(orange, "curing");
    CHECK(curing != NULL &&
          isnan(curing->temperature[0])); /* ambient: no figure published */
    profile_set_destroy(set);
}

static void mkt_is_off_for_produce_and_allowed_elsewhere(void)
{
    struct profile_set *set = profile_set_create();
    for (size_t i = 0; i < profile_set_count(set); i++) {
        const struct profile *profile = profile_set_get(set, i);
        bool is_animal = strcmp(profile->category, "meat") == 0 ||
                         strcmp(profile->category, "fish") == 0 ||
                         strcmp(profile->category, "dairy") == 0 ||
                         strcmp(profile->category, "egg") == 0;
        CHECK_ROW(profile->id, profile->uses_mkt == is_animal);
    }
    profile_set_destroy(set);
}

static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, PROFILE_TEXT_MAX * 2);
    *len = 0;
    if (file != NULL && text != NULL) {
        *len = fread(text, 1, PROFILE_TEXT_MAX * 2 - 1, file);
        fclose(file);
    }
    return text;
}

/* What parser or linter say about the input, one finding per line. */
static void judge(const char *text, size_t len, struct findings *all)
{
    struct profile_set *set = profile_set_create();
    const struct profile *profile;
    struct err_text why = {""};
    enum err err = profile_set_add(set, text, len, &profile, &why);
    if (err != ERR_OK)
        all->len = (size_t)snprintf(all->text, sizeof all->text, "error %s\n", why.text);
    else
        profile_lint(profile, collect, all);
    profile_set_destroy(set);
}

/* tests/data/profile-invalid/<case>/{input,expect}: adding a case needs no C. */
static void every_case_of_the_data_folder_is_refused(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/data/profile-invalid", check_source_dir());
    DIR *dir = opendir(path);
    size_t count = 0;
    CHECK(dir != NULL);
    for (struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL;
         entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        size_t len, want_len;
        char file[8192];
        snprintf(file, sizeof file, "%s/%s/input", path, entry->d_name);
        char *text = read_file(file, &len);
        snprintf(file, sizeof file, "%s/%s/expect", path, entry->d_name);
        char *want = read_file(file, &want_len);
        want[strcspn(want, "\n")] = '\0';
        struct findings all = {.len = 0};
        judge(text, len, &all);
        if (strstr(all.text, want) == NULL)
            printf("\n  %s: got: %s  want: %s\n", entry->d_name, all.text, want);
        CHECK_ROW(entry->d_name, len > 0 && want[0] != '\0');
        CHECK_ROW(entry->d_name, strstr(all.text, want) != NULL);
        free(text);
        free(want);
        count++;
    }
    if (dir != NULL)
        closedir(dir);
    CHECK(count >= 20);
}

static void an_added_profile_replaces_its_namesake(void)
{
    static const char text[] =
        "{\"format\":\"coldchain-profile/1\",\"id\":\"plum\",\"name\":{\"en\":\"Mine\"},"
        "\"kinetics\":\"q10\",\"chilling\":\"unknown\",\"numbers\":{}}";
    struct profile_set *set = profile_set_create();
    const struct profile *profile;
    CHECK(profile_set_add(set, text, sizeof text - 1, &profile, NULL) == ERR_OK);
    CHECK_TEXT(profile_set_find(set, "plum")->name_en, "Mine");
    CHECK(profile_set_count(set) == 49);
    CHECK(profile_set_find(set, "plums") == NULL);
    profile_set_destroy(set);
    profile_set_destroy(NULL);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every built-in profile passes the linter",
         every_built_in_profile_passes_the_linter},
        {"every known number has a source and a mark",
         every_known_number_has_a_source_and_a_mark},
        {"our three profiles inherit", our_three_profiles_inherit},
        {"planned phases are there", planned_phases_are_there},
        {"MKT is off for produce and allowed elsewhere",
         mkt_is_off_for_produce_and_allowed_elsewhere},
        {"every case of the data folder is refused",
         every_case_of_the_data_folder_is_refused},
        {"an added profile replaces its namesake",
         an_added_profile_replaces_its_namesake},
        CU_TEST_INFO_NULL,
    };
    return check_run("profile", tests);
}
