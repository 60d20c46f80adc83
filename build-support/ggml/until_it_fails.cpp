// SPDX-License-Identifier: Apache-2.0
// Multiplies Q4_K weights on the device that is named, over and over, and says `ready` when it has
// for the first time. When a graph fails, it prints ggml's status and tries once more. Then it
// frees what it has, tries from the start, and multiplies on the CPU, as a program may go on.

#include "ggml-backend.h"
#include "ggml.h"

#include <cstdio>
#include <vector>

const int64_t K = 512, COLUMNS = 32, ROWS = 16;

// Products in one graph.
const int PRODUCTS = 100;

// Once or, with `again`, until a graph fails.
static ggml_status multiply(ggml_backend_t backend, bool again) {
    ggml_init_params params = { ggml_tensor_overhead() * 128 + ggml_graph_overhead(), NULL, true };
    ggml_context * context = ggml_init(params);
    ggml_tensor * weights = ggml_new_tensor_2d(context, GGML_TYPE_Q4_K, K, COLUMNS);
    ggml_tensor * activations = ggml_new_tensor_2d(context, GGML_TYPE_F32, K, ROWS);
    ggml_cgraph * graph = ggml_new_graph(context);
    ggml_tensor * product = NULL;
    for (int i = 0; i < PRODUCTS; i++) {
        product = ggml_mul_mat(context, weights, activations);
        ggml_build_forward_expand(graph, product);
    }
    ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors(context, backend);
    if (!buffer) {
        ggml_free(context);
        return GGML_STATUS_ALLOC_FAILED;
    }
    std::vector<float> ones(K * COLUMNS, 1);
    std::vector<char> blocks(ggml_nbytes(weights));
    ggml_quantize_chunk(GGML_TYPE_Q4_K, ones.data(), blocks.data(), 0, COLUMNS, K, NULL);
    ggml_backend_tensor_set(weights, blocks.data(), 0, blocks.size());
    ggml_backend_tensor_set(activations, ones.data(), 0, ggml_nbytes(activations));
    ggml_status status = ggml_backend_graph_compute(backend, graph);
    if (again && status == GGML_STATUS_SUCCESS) {
        printf("ready\n");
        fflush(stdout);
        while (status == GGML_STATUS_SUCCESS) {
            status = ggml_backend_graph_compute(backend, graph);
        }
        printf("computing: %s\n", ggml_status_to_string(status));
        status = ggml_backend_graph_compute(backend, graph);
    } else {
        float value;
        ggml_backend_tensor_get(product, &value, 0, sizeof(value));
        printf("product: %.0f\n", value);
    }
    ggml_backend_buffer_free(buffer);
    ggml_free(context);
    return status;
}

int main(int count, char ** words) {
    if (count != 2) {
        fprintf(stderr, "usage: until_it_fails DEVICE\n");
        return 2;
    }
    ggml_backend_load_all();
    ggml_backend_t backend = ggml_backend_init_by_name(words[1], NULL);
    ggml_backend_t cpu = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, NULL);
    if (!backend || !cpu) {
        fprintf(stderr, "there is no %s, or no CPU\n", words[1]);
        return 1;
    }
    printf("and again: %s\n", ggml_status_to_string(multiply(backend, true)));
    printf("allocating: %s\n", ggml_status_to_string(multiply(backend, false)));
    ggml_backend_free(backend);
    ggml_status status = multiply(cpu, false);
    ggml_backend_free(cpu);
    ggml_quantize_free();
    return status == GGML_STATUS_SUCCESS ? 0 : 1;
}
