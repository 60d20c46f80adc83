// SPDX-License-Identifier: Apache-2.0
// Measures how fast llama.cpp is in this process, on request:
//
//     speed MODEL THREADS (sail | repacked | plain)
//
// The last word says where products by Q4_K weights are computed: on the first Sail, on the CPU
// with its own layout of them, or on the CPU with the weights as they are in the file. With `sail`
// the library of the backend has to be in GGML_BACKEND_PATH; without it, it must not.
//
// It says `ready` and then reads one task a line from standard input:
//
//     prefill TOKENS SECONDS               one batch of the model, from nothing
//     decode TOKENS SECONDS                so many tokens one after the other, from nothing
//     products N SECONDS ROWSxCOLUMNS*COUNT…
//                                          COUNT tensors of Q4_K weights of that shape, each by
//                                          N rows of activations
//
// and answers each with a line: the root of the mean square of what was computed, and the seconds
// of each timed run, of which there is at least one, and more until SECONDS have passed. Others
// may have had the processors before, so that runs which are not timed come first.

#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "ggml.h"
#include "llama.h"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/prctl.h>

// Of the runs that are not timed.
static const double WARM_UP = 0.003;

static const int SUPERBLOCK = 256;

[[noreturn]] static void fail(const std::string & what) {
    fprintf(stderr, "speed: %s\n", what.c_str());
    exit(1);
}

static double now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(since).count();
}

static double root_mean_square(const float * values, size_t count) {
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        squares += double(values[i]) * values[i];
    }
    return sqrt(squares / count);
}

// Numbers between -1 and 1, the same in every process.
static std::vector<float> numbers(size_t count) {
    std::vector<float> values(count);
    uint32_t state = 1;
    for (float & value : values) {
        state = state * 1664525 + 1013904223;
        value = (state >> 8) * (2.0f / (1 << 24)) - 1;
    }
    return values;
}

// One way to compute, and what is needed for it.
struct Way {
    std::string name;
    int threads;
    ggml_backend_dev_t cpu;
    // Which computes the products, and the types of buffer for weights, the best first.
    ggml_backend_t backend;
    std::vector<ggml_backend_buffer_type_t> buffer_types;
    ggml_threadpool_t pool;

    bool is_sail() const { return name == "sail"; }

    template <typename F> F function(const char * name) const { return function<F>(cpu, name); }

    template <typename F> static F function(ggml_backend_dev_t device, const char * name) {
        F found = (F) ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), name);
        if (!found) {
            fail(std::string("this ggml has no ") + name);
        }
        return found;
    }

    Way(const char * name, int threads) : name(name), threads(threads) {
        cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
        ggml_backend_dev_t sail = ggml_backend_dev_by_name("Sail0");
        if (!cpu || is_sail() != (sail != NULL)) {
            fail(std::string(name) + ": Sail0 is " + (sail ? "there" : "not there"));
        }
        // Threads that live on from graph to graph, as programs have that are made for speed.
        ggml_threadpool_params params = ggml_threadpool_params_default(threads);
        pool = function<decltype(&ggml_threadpool_new)>("ggml_threadpool_new")(&params);
        ggml_backend_dev_t device = is_sail() ? sail : cpu;
        backend = ggml_backend_dev_init(device, NULL);
        if (!pool || !backend) {
            fail("the backend does not start");
        }
        function<ggml_backend_set_n_threads_t>(device, "ggml_backend_set_n_threads")(
            backend, threads);
        if (!is_sail()) {
            function<decltype(&ggml_backend_cpu_set_threadpool)>(
                "ggml_backend_cpu_set_threadpool")(backend, pool);
        }
        if (this->name == "repacked") {
            auto extra = function<ggml_backend_dev_get_extra_bufts_t>(
                "ggml_backend_dev_get_extra_bufts")(cpu);
            while (extra && *extra) {
                buffer_types.push_back(*extra++);
            }
        } else {
            buffer_types.push_back(ggml_backend_dev_buffer_type(device));
        }
    }
};

// Products of n rows of activations by several matrices of weights.
class Products {
    const Way & way;
    std::vector<ggml_context *> contexts;
    std::vector<ggml_backend_buffer_t> buffers;
    std::vector<ggml_cgraph *> graphs;
    std::vector<ggml_tensor *> outs;

    ggml_context * context() {
        const size_t room = ggml_tensor_overhead() * 1024 + ggml_graph_overhead() * 64;
        contexts.push_back(ggml_init({ room, NULL, true }));
        return contexts.back();
    }

    void own(ggml_backend_buffer_t buffer) {
        if (!buffer) {
            fail("there is not enough memory");
        }
        buffers.push_back(buffer);
    }

    // A tensor of weights, in the first type of buffer in which the device can multiply by it.
    ggml_tensor * weights(int64_t rows, int64_t columns, int64_t n) {
        for (ggml_backend_buffer_type_t type : way.buffer_types) {
            ggml_context * one = context();
            ggml_tensor * tensor = ggml_new_tensor_2d(one, GGML_TYPE_Q4_K, columns, rows);
            ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors_from_buft(one, type);
            own(buffer);
            ggml_tensor * x = ggml_new_tensor_2d(one, GGML_TYPE_F32, columns, n);
            if (ggml_backend_supports_op(way.backend, ggml_mul_mat(one, tensor, x))) {
                ggml_backend_buffer_set_usage(buffer, GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
                return tensor;
            }
        }
        fail("no type of buffer is for Q4_K weights");
    }

  public:
    struct Shape {
        int64_t rows, columns;
        int count;
    };

    Products(const Way & way, int64_t n, const std::vector<Shape> & shapes) : way(way) {
        ggml_context * rest = context();
        std::vector<ggml_tensor *> activations;
        for (const Shape & shape : shapes) {
            // Rows that repeat: to quantise all of them would take longer than to measure.
            const int64_t distinct = 16;
            const std::vector<float> values = numbers(distinct * shape.columns);
            std::vector<char> some(distinct * ggml_row_size(GGML_TYPE_Q4_K, shape.columns));
            ggml_quantize_chunk(
                GGML_TYPE_Q4_K, values.data(), some.data(), 0, distinct, shape.columns, NULL);
            std::vector<char> all(shape.rows * ggml_row_size(GGML_TYPE_Q4_K, shape.columns));
            for (size_t i = 0; i < all.size(); i++) {
                all[i] = some[i % some.size()];
            }
            ggml_tensor * x = ggml_new_tensor_2d(rest, GGML_TYPE_F32, shape.columns, n);
            activations.push_back(x);
            for (int i = 0; i < shape.count; i++) {
                ggml_tensor * tensor = weights(shape.rows, shape.columns, n);
                ggml_backend_tensor_set(tensor, all.data(), 0, all.size());
                outs.push_back(ggml_mul_mat(rest, tensor, x));
            }
        }
        // The CPU is given the model's graph in one piece. What is for another device is cut out
        // of it, and the CPU has something to do between any two of these products.
        for (ggml_tensor * out : outs) {
            if (graphs.empty() || way.is_sail()) {
                graphs.push_back(ggml_new_graph(rest));
            }
            ggml_build_forward_expand(graphs.back(), out);
        }
        own(ggml_backend_alloc_ctx_tensors(rest, way.backend));
        for (ggml_tensor * x : activations) {
            const std::vector<float> values = numbers(ggml_nelements(x));
            ggml_backend_tensor_set(x, values.data(), 0, ggml_nbytes(x));
        }
    }

    Products(const Products &) = delete;

    ~Products() {
        for (ggml_backend_buffer_t buffer : buffers) {
            ggml_backend_buffer_free(buffer);
        }
        for (ggml_context * context : contexts) {
            ggml_free(context);
        }
    }

    void run() {
        for (ggml_cgraph * graph : graphs) {
            if (ggml_backend_graph_compute(way.backend, graph) != GGML_STATUS_SUCCESS) {
                fail("a product failed");
            }
        }
    }

    double output() const {
        std::vector<float> values;
        for (ggml_tensor * out : outs) {
            const size_t begin = values.size();
            values.resize(begin + ggml_nelements(out));
            ggml_backend_tensor_get(out, values.data() + begin, 0, ggml_nbytes(out));
        }
        return root_mean_square(values.data(), values.size());
    }
};

// The model, loaded as the way wants it.
class Model {
    llama_model * model;
    llama_context * context;
    int words;

  public:
    Model(const char * path, const Way & way) {
        llama_model_params params = llama_model_default_params();
        params.use_extra_bufts = way.name != "plain";
        model = llama_model_load_from_file(path, params);
        if (!model) {
            fail(std::string(path) + " cannot be loaded");
        }
        words = llama_vocab_n_tokens(llama_model_get_vocab(model));
        llama_context_params how = llama_context_default_params();
        how.n_ctx = how.n_batch = how.n_ubatch = 512;
        how.n_threads = how.n_threads_batch = way.threads;
        how.no_perf = true;
        context = llama_init_from_model(model, how);
        if (!context) {
            fail("the model cannot be evaluated");
        }
        llama_attach_threadpool(context, way.pool, NULL);
    }

    ~Model() {
        llama_free(context);
        llama_model_free(model);
    }

    void forget() { llama_memory_clear(llama_get_memory(context), false); }

    // Evaluates tokens from this position on, all at once.
    void evaluate(int position, int count) {
        std::vector<llama_token> tokens(count);
        for (int i = 0; i < count; i++) {
            // Any, but for the first few of the vocabulary, which have a meaning of their own.
            tokens[i] = 1000 + (position + i) * 7919 % (words - 1000);
        }
        if (llama_decode(context, llama_batch_get_one(tokens.data(), count)) != 0) {
            fail("llama_decode failed");
        }
        llama_synchronize(context);
    }

    double output() { return root_mean_square(llama_get_logits_ith(context, -1), words); }
};

// Does the work again and again, and says how long it took.
static void measure(
    double seconds,
    const std::function<void()> & warm_up,
    const std::function<void()> & run,
    const std::function<double()> & output) {
    for (const double begin = now(); now() - begin < WARM_UP;) {
        warm_up();
    }
    std::vector<double> times;
    for (const double begin = now(); times.empty() || now() - begin < seconds;) {
        const double start = now();
        run();
        times.push_back(now() - start);
    }
    printf("%.9g", output());
    for (double time : times) {
        printf(" %.9f", time);
    }
    printf("\n");
    fflush(stdout);
}

int main(int argc, char ** argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s MODEL THREADS (sail | repacked | plain)\n", argv[0]);
        return 2;
    }
    // Who asked for this may stop it for a while, and be gone before it goes on.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto only_what_matters = [](ggml_log_level level, const char * text, void *) {
        if (level == GGML_LOG_LEVEL_WARN || level == GGML_LOG_LEVEL_ERROR) {
            fputs(text, stderr);
        }
    };
    llama_log_set(only_what_matters, NULL);
    ggml_backend_load_all();
    Way way(argv[3], atoi(argv[2]));
    {
        Model model(argv[1], way);
        std::map<std::string, std::unique_ptr<Products>> products;
        printf("ready\n");
        fflush(stdout);
        for (std::string line; std::getline(std::cin, line);) {
            std::istringstream words(line);
            std::string task, shape;
            int count = 0;
            double seconds = 0;
            words >> task >> count >> seconds;
            const auto output = [&] { return model.output(); };
            if (task == "prefill") {
                const auto some = [&] { model.forget(); model.evaluate(0, 32); };
                const auto run = [&] { model.forget(); model.evaluate(0, count); };
                measure(seconds, some, run, output);
            } else if (task == "decode") {
                const auto some = [&] { model.forget(); model.evaluate(0, 1); };
                const auto run = [&] {
                    model.forget();
                    for (int i = 0; i < count; i++) {
                        model.evaluate(i, 1);
                    }
                };
                measure(seconds, some, run, output);
            } else if (task == "products") {
                std::vector<Products::Shape> shapes;
                while (words >> shape) {
                    Products::Shape one;
                    if (sscanf(shape.c_str(), "%" SCNd64 "x%" SCNd64 "*%d", &one.rows,
                               &one.columns, &one.count) != 3 || one.columns % SUPERBLOCK != 0) {
                        fail("no shape: " + shape);
                    }
                    shapes.push_back(one);
                }
                std::unique_ptr<Products> & one = products[line];
                if (!one) {
                    one.reset(new Products(way, count, shapes));
                }
                const auto run = [&] { one->run(); };
                measure(seconds, run, run, [&] { return one->output(); });
            } else {
                fail("no task: " + line);
            }
        }
    }
    ggml_backend_free(way.backend);
    way.function<decltype(&ggml_threadpool_free)>("ggml_threadpool_free")(way.pool);
    return 0;
}
