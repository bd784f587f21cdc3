/* table: rows of cells in aligned columns; see table.h. */
#include "tools/ipcctl/terminal/table.h"
#include "tools/ipcctl/terminal/text.h"

#include <inttypes.h>

enum { GAP = 2, COLUMNS_MAX = 16, FLEXIBLE_LEAST = 8 };

void table_init(struct table *table, const struct column *columns, size_t count)
{
    *table = (struct table){.columns = columns, .count = count};
}

void table_deinit(struct table *table)
{
    buffer_deinit(&table->text);
    buffer_deinit(&table->ends);
}

struct buffer *table_text(struct table *table)
{
    return &table->text;
}

void table_cell(struct table *table)
{
    (void)buffer_append(&table->ends, &table->text.len, sizeof(size_t));
}

void table_put(struct table *table, const char *text)
{
    text_put(&table->text, text);
    table_cell(table);
}

void table_number(struct table *table, int64_t number)
{
    text_format(&table->text, "%" PRId64, number);
    table_cell(table);
}

void table_plain(struct table *table, struct slice text)
{
    text_plain(&table->text, text);
    table_cell(table);
}

void table_name(struct table *table, struct slice name)
{
    text_name(&table->text, name);
    table_cell(table);
}

size_t table_rows(const struct table *table)
{
    return table->ends.len / sizeof(size_t) / table->count;
}

static size_t end_of(const struct table *table, size_t cell)
{
    size_t end;
    memcpy(&end, table->ends.data + cell * sizeof(end), sizeof(end));
    return end;
}

static struct slice cell_at(const struct table *table, size_t row, size_t column)
{
    size_t cell = row * table->count + column;
    size_t start = cell == 0 ? 0 : end_of(table, cell - 1);
    return (struct slice){table->text.data + start, end_of(table, cell) - start};
}

/* The widest flexible column, or `count` if none can be made less wide. */
static size_t widest(const struct table *table, const size_t *widths)
{
    size_t found = table->count;
    for (size_t column = 0; column < table->count; column++) {
        if (table->columns[column].flexible && widths[column] > FLEXIBLE_LEAST &&
            (found == table->count || widths[column] > widths[found])) {
            found = column;
        }
    }
    return found;
}

/* Takes what is too much for the terminal from the flexible columns, the widest first. */
static void squeeze(const struct table *table, size_t *widths, size_t width)
{
    size_t total = GAP * (table->count - 1);
    for (size_t column = 0; column < table->count; column++) {
        total += widths[column];
    }
    for (; total > width; total--) {
        size_t column = widest(table, widths);
        if (column == table->count) {
            break;
        }
        widths[column]--;
    }
}

static void pad(struct buffer *out, size_t columns)
{
    for (; columns > 0; columns--) {
        text_put(out, " ");
    }
}

/* One cell and the gap behind it. */
static void print_cell(const struct column *column, struct slice text, size_t width,
                       struct buffer *out)
{
    struct buffer cut = {0};
    text_cut(&cut, text, width);
    size_t room = width - text_width(buffer_slice(&cut));
    pad(out, column->right ? room : 0);
    (void)buffer_append(out, cut.data, cut.len);
    pad(out, column->right ? GAP : room + GAP);
    out->failed |= cut.failed;
    buffer_deinit(&cut);
}

static void trim(struct buffer *line)
{
    while (line->len > 0 && line->data[line->len - 1] == ' ') {
        line->len--;
    }
}

/* A line, of which no more than `width` columns are kept unless that is 0. */
static void end_line(struct buffer *line, size_t width, struct buffer *out)
{
    trim(line);
    text_cut(out, buffer_slice(line), width > 0 ? width : SIZE_MAX / 2);
    text_put(out, "\n");
    out->failed |= line->failed;
    line->len = 0;
}

static void print_titles(const struct table *table, const size_t *widths, size_t width,
                         struct buffer *out)
{
    struct buffer line = {0};
    for (size_t column = 0; column < table->count; column++) {
        print_cell(&table->columns[column], slice_of_string(table->columns[column].title),
                   widths[column], &line);
    }
    end_line(&line, width, out);
    buffer_deinit(&line);
}

int table_print(const struct table *table, size_t first, size_t rows, size_t width,
                struct buffer *out)
{
    if (table->text.failed || table->ends.failed || table->count > COLUMNS_MAX) {
        return -1;
    }
    size_t widths[COLUMNS_MAX];
    size_t all = table_rows(table);
    size_t end = rows < all - first ? first + rows : all;
    for (size_t column = 0; column < table->count; column++) {
        widths[column] = text_width(slice_of_string(table->columns[column].title));
        for (size_t row = first; row < end; row++) {
            size_t one = text_width(cell_at(table, row, column));
            widths[column] = one > widths[column] ? one : widths[column];
        }
    }
    if (width > 0) {
        squeeze(table, widths, width);
    }
    print_titles(table, widths, width, out);
    struct buffer line = {0};
    for (size_t row = first; row < end; row++) {
        for (size_t column = 0; column < table->count; column++) {
            print_cell(&table->columns[column], cell_at(table, row, column), widths[column], &line);
        }
        end_line(&line, width, out);
    }
    buffer_deinit(&line);
    return out->failed ? -1 : 0;
}
