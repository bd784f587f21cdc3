/*
 * run_corpus: runs a fuzz target over the files of a folder, without libFuzzer, so that every
 * build and compiler runs what the fuzzers were given and what they have found.
 *
 *   corpus_scan FOLDER
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Runs one file, copied into an allocation of exactly its size. */
static int run_file(const char *folder, const char *name)
{
    static uint8_t bytes[1 << 20];
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (exact == NULL) {
        return -1;
    }
    memcpy(exact, bytes, len);
    (void)printf("%s\n", path);
    (void)fflush(stdout); /* the name of the file that ends the process is the last one seen */
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return 0;
}

/* How many files were run, or -1. */
static int run_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        perror(folder);
        return -1;
    }
    int files = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL && files >= 0; entry = readdir(dir)) {
        if (entry->d_name[0] != '.') {
            files = run_file(folder, entry->d_name) < 0 ? -1 : files + 1;
        }
    }
    (void)closedir(dir);
    return files;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "run_corpus: give the folder of inputs\n");
        return 2;
    }
    return run_folder(argv[1]) > 0 ? 0 : 1;
}
