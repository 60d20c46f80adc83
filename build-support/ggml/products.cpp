// SPDX-License-Identifier: Apache-2.0
// Computes products with Q4_K weights as programs with ggml do, in ways that upstream's tests do
// not:
//
//     products contexts ROUNDS    several contexts and devices at once, each in a thread of its own
//     products reload TIMES       loaded by path, used and unloaded
//     products threads N          with N threads, if N > 0: how many computed on the average
//     products failure            with a Sail that fails
//
// The library is GGML_BACKEND_PATH. Of what is wrong it prints a line, and the last line is `as it
// should be` if nothing is.

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml.h"

#include <dirent.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

// ggml's own bound for products; bits are compared elsewhere.
static const double MOST_NMSE = 5e-4;

static std::atomic<int> wrong{0};

static void expect(bool is_so, const std::string & what) {
    if (!is_so) {
        fprintf(stderr, "wrong: %s\n", what.c_str());
        wrong++;
    }
}

static ggml_backend_t context_of(const char * device) {
    ggml_backend_t backend = ggml_backend_init_by_name(device, NULL);
    if (!backend) {
        fprintf(stderr, "there is no device %s\n", device);
        exit(1);
    }
    return backend;
}

// Numbers that look like any, the same for the same seed.
static std::vector<float> numbers(size_t count, unsigned seed) {
    std::vector<float> result(count);
    for (float & number : result) {
        seed = seed * 1664525 + 1013904223;
        number = (seed >> 8) / float(1 << 23) - 1;
    }
    return result;
}

// out = w2 · (w1 · x), in memory of one context: x has m rows of k, w1 has n and w2 has p rows.
struct Products {
    ggml_context * context;
    ggml_tensor * x;
    ggml_tensor * w1;
    ggml_tensor * w2;
    ggml_tensor * out;
    ggml_cgraph * graph;
    ggml_backend_buffer_t buffer;

    Products(ggml_backend_t backend, int m, int k, int n, int p) {
        context = ggml_init({ 1 << 20, NULL, true });
        x = ggml_new_tensor_2d(context, GGML_TYPE_F32, k, m);
        w1 = ggml_new_tensor_2d(context, GGML_TYPE_Q4_K, k, n);
        w2 = ggml_new_tensor_2d(context, GGML_TYPE_Q4_K, n, p);
        out = ggml_mul_mat(context, w2, ggml_mul_mat(context, w1, x));
        graph = ggml_new_graph(context);
        ggml_build_forward_expand(graph, out);
        buffer = ggml_backend_alloc_ctx_tensors(context, backend);
    }

    ~Products() {
        ggml_backend_buffer_free(buffer);
        ggml_free(context);
    }

    void set_weights(unsigned seed) {
        for (ggml_tensor * weights : { w1, w2 }) {
            const std::vector<float> from = numbers(ggml_nelements(weights), seed++);
            std::vector<char> blocks(ggml_nbytes(weights));
            ggml_quantize_chunk(
                GGML_TYPE_Q4_K, from.data(), blocks.data(), 0, weights->ne[1], weights->ne[0], NULL);
            ggml_backend_tensor_set(weights, blocks.data(), 0, blocks.size());
        }
    }

    void set_x(unsigned seed) {
        const std::vector<float> from = numbers(ggml_nelements(x), seed);
        ggml_backend_tensor_set(x, from.data(), 0, ggml_nbytes(x));
    }

    std::vector<float> results() {
        std::vector<float> values(ggml_nelements(out));
        ggml_backend_tensor_get(out, values.data(), 0, ggml_nbytes(out));
        return values;
    }
};

static double nmse(const std::vector<float> & expected, const std::vector<float> & given) {
    double difference = 0, square = 0;
    for (size_t i = 0; i < expected.size(); i++) {
        difference += (expected[i] - given[i]) * double(expected[i] - given[i]);
        square += expected[i] * double(expected[i]);
    }
    return difference / square;
}

struct Shape {
    int m, k, n, p;
};

// What the CPU makes of it, for each of some x.
static std::vector<std::vector<float>> on_the_cpu(Shape shape, unsigned seed, int count) {
    ggml_backend_t cpu = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, NULL);
    std::vector<std::vector<float>> results;
    {
        Products products(cpu, shape.m, shape.k, shape.n, shape.p);
        products.set_weights(seed);
        for (int i = 0; i < count; i++) {
            products.set_x(seed + i);
            ggml_backend_graph_compute(cpu, products.graph);
            results.push_back(products.results());
        }
    }
    ggml_backend_free(cpu);
    return results;
}

// Computes the same on a context of its own, again and again.
static void rounds(
    const char * device, Shape shape, unsigned seed, int count,
    const std::vector<std::vector<float>> & expected) {
    ggml_backend_t backend = context_of(device);
    {
        Products products(backend, shape.m, shape.k, shape.n, shape.p);
        products.set_weights(seed);
        for (int i = 0; i < count; i++) {
            const int which = i % expected.size();
            products.set_x(seed + which);
            const ggml_status status = ggml_backend_graph_compute(backend, products.graph);
            expect(status == GGML_STATUS_SUCCESS, std::string(device) + " fails");
            const double difference = nmse(expected[which], products.results());
            expect(difference <= MOST_NMSE, std::string(device) + " is wrong");
        }
    }
    ggml_backend_free(backend);
}

static void contexts(int count) {
    setenv("SPANKER_SAILS", "soft,soft", 1);
    ggml_backend_load_all();
    // Two contexts of one device, and one of another.
    const char * devices[] = { "Sail0", "Sail0", "Sail1" };
    const Shape shapes[] = { { 3, 256, 512, 48 }, { 17, 512, 256, 33 }, { 1, 768, 256, 100 } };
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++) {
        const unsigned seed = 100 * i;
        threads.emplace_back(
            rounds, devices[i], shapes[i], seed, count, on_the_cpu(shapes[i], seed, 3));
    }
    for (std::thread & thread : threads) {
        thread.join();
    }
}

static void reload(int count) {
    const std::string library = getenv("GGML_BACKEND_PATH");
    unsetenv("GGML_BACKEND_PATH");
    ggml_backend_load_all();
    const Shape shape = { 5, 256, 256, 40 };
    const std::vector<std::vector<float>> expected = on_the_cpu(shape, 7, 2);
    for (int i = 0; i < count; i++) {
        expect(!ggml_backend_dev_by_name("Sail0"), "a device of an unloaded library is there");
        ggml_backend_reg_t reg = ggml_backend_load(library.c_str());
        expect(reg, "the library is not loaded");
        rounds("Sail0", shape, 7, 4, expected);
        ggml_backend_unload(reg);
    }
}

// Nanoseconds that each thread of this process has computed.
static std::map<std::string, double> computed() {
    std::map<std::string, double> result;
    DIR * tasks = opendir("/proc/self/task");
    while (dirent * task = readdir(tasks)) {
        std::ifstream file(std::string("/proc/self/task/") + task->d_name + "/schedstat");
        double time;
        if (task->d_name[0] != '.' && file >> time) {
            result[task->d_name] = time;
        }
    }
    closedir(tasks);
    return result;
}

static void threads(int count) {
    setenv("SPANKER_SOFT_THREADS", "4", 1);
    ggml_backend_load_all();
    ggml_backend_t backend = context_of("Sail0");
    ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(ggml_backend_get_device(backend));
    // As llama.cpp does it.
    auto set_n_threads = (ggml_backend_set_n_threads_t) ggml_backend_reg_get_proc_address(
        reg, "ggml_backend_set_n_threads");
    expect(set_n_threads, "threads cannot be set");
    if (set_n_threads && count > 0) {
        set_n_threads(backend, count);
    }
    {
        Products products(backend, 1024, 4096, 4096, 4096);
        const std::map<std::string, double> before = computed();
        ggml_backend_graph_compute(backend, products.graph);
        double most = 0, all = 0;
        for (const auto & [thread, after] : computed()) {
            const auto begin = before.find(thread);
            const double time = after - (begin == before.end() ? 0 : begin->second);
            most = time > most ? time : most;
            all += time;
        }
        // The one that leads computes all the time.
        printf("threads: %.2f\n", all / most);
    }
    ggml_backend_free(backend);
}

static std::vector<std::string> log_lines;

static void failure() {
    // Of the second graph.
    setenv("SPANKER_SOFT_FAULTS", "batch#2", 1);
    ggml_backend_load_all();
    ggml_log_set([](ggml_log_level level, const char * text, void *) {
        if (level == GGML_LOG_LEVEL_ERROR) {
            log_lines.push_back(text);
        }
        fputs(text, stderr);
    }, NULL);
    ggml_backend_t backends[] = {
        context_of("Sail0"), ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, NULL),
    };
    {
        Products products(backends[0], 2, 256, 256, 16);
        products.set_weights(1);
        // As programs compute: what follows the product is for the CPU, with a scheduler between
        // them.
        ggml_context * context = ggml_init({ 1 << 20, NULL, true });
        ggml_cgraph * graph = ggml_new_graph(context);
        ggml_tensor * product = ggml_mul_mat(context, products.w1, products.x);
        ggml_tensor * sum = ggml_scale(context, product, 2);
        ggml_build_forward_expand(graph, sum);
        ggml_backend_sched_t sched =
            ggml_backend_sched_new(backends, NULL, 2, GGML_DEFAULT_GRAPH_SIZE, false, true);
        for (int i = 0; i < 3; i++) {
            const size_t before = log_lines.size();
            products.set_x(2);
            ggml_backend_sched_reset(sched);
            const ggml_status status = ggml_backend_sched_graph_compute(sched, graph);
            const bool fails = i > 0;
            expect(status == (fails ? GGML_STATUS_FAILED : GGML_STATUS_SUCCESS), "the status");
            expect(log_lines.size() - before == size_t(fails), "the lines in the log");
        }
        ggml_backend_sched_free(sched);
        ggml_free(context);
    }
    {
        // All memory of the Sail was let go; with new one it works again.
        Products products(backends[0], 2, 256, 256, 16);
        const ggml_status status = ggml_backend_graph_compute(backends[0], products.graph);
        expect(status == GGML_STATUS_SUCCESS, "the status once the memory is new");
    }
    for (ggml_backend_t backend : backends) {
        ggml_backend_free(backend);
    }
}

int main(int argc, char ** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    const int number = argc > 2 ? atoi(argv[2]) : 0;
    if (what == "contexts" && argc == 3) {
        contexts(number);
    } else if (what == "reload" && argc == 3) {
        reload(number);
    } else if (what == "threads" && argc == 3) {
        threads(number);
    } else if (what == "failure" && argc == 2) {
        failure();
    } else {
        fprintf(stderr, "usage: %s contexts ROUNDS | reload TIMES | threads N | failure\n", argv[0]);
        return 2;
    }
    ggml_quantize_free();
    if (wrong > 0) {
        return 1;
    }
    printf("as it should be\n");
    return 0;
}
