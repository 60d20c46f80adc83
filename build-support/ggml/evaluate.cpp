// SPDX-License-Identifier: Apache-2.0
// Evaluates a text with a model, and writes down what came out:
//
//     evaluate MODEL THREADS TEXT FOLDER
//
// leaves in FOLDER the logits of all positions (f32, row after row) in `logits`, and in `products`
// the results of every product with Q4_K weights, in the order in which they were computed. It
// prints how many evaluations and how many such products there were.
//
// Most of the text is one batch; the rest is evaluated one token at a time, as text is generated.

#include "ggml-backend.h"
#include "ggml.h"
#include "llama.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// Tokens of the text that are evaluated, at most, and how many of them alone.
static const int MOST = 500;
static const int ALONE = 8;

struct Products {
    FILE * file;
    long count;
};

// For the scheduler: whether a node is to be seen, and then the node.
static bool record(ggml_tensor * node, bool ask, void * data) {
    if (node->op != GGML_OP_MUL_MAT || node->src[0]->type != GGML_TYPE_Q4_K) {
        return !ask;
    }
    if (!ask) {
        Products * products = static_cast<Products *>(data);
        std::vector<char> bytes(ggml_nbytes(node));
        ggml_backend_tensor_get(node, bytes.data(), 0, bytes.size());
        fwrite(bytes.data(), 1, bytes.size(), products->file);
        products->count++;
    }
    return true;
}

static std::string contents(const char * path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

static FILE * created(const std::string & path) {
    FILE * file = fopen(path.c_str(), "wb");
    if (!file) {
        perror(path.c_str());
        exit(1);
    }
    return file;
}

int main(int argc, char ** argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: %s MODEL THREADS TEXT FOLDER\n", argv[0]);
        return 2;
    }
    const std::string folder = argv[4];
    ggml_backend_load_all();
    llama_model * model = llama_model_load_from_file(argv[1], llama_model_default_params());
    if (!model) {
        return 1;
    }
    const llama_vocab * vocab = llama_model_get_vocab(model);
    const std::string text = contents(argv[3]);
    std::vector<llama_token> tokens(text.size() + 2);
    const int all = llama_tokenize(
        vocab, text.data(), text.size(), tokens.data(), tokens.size(), true, false);
    const int count = std::min(all, MOST);

    Products products = { created(folder + "/products"), 0 };
    llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = 512;
    params.n_threads = params.n_threads_batch = atoi(argv[2]);
    params.cb_eval = record;
    params.cb_eval_user_data = &products;
    params.no_perf = true;
    llama_context * context = llama_init_from_model(model, params);
    if (!context || count <= ALONE) {
        return 1;
    }

    FILE * logits = created(folder + "/logits");
    const size_t row = llama_vocab_n_tokens(vocab) * sizeof(float);
    int evaluations = 0;
    for (int begin = 0; begin < count;) {
        const int end = begin < count - ALONE ? count - ALONE : begin + 1;
        llama_batch batch = llama_batch_init(end - begin, 0, 1);
        for (int i = begin; i < end; i++) {
            const int at = batch.n_tokens++;
            batch.token[at] = tokens[i];
            batch.pos[at] = i;
            batch.n_seq_id[at] = 1;
            batch.seq_id[at][0] = 0;
            batch.logits[at] = true;
        }
        if (llama_decode(context, batch) != 0) {
            fprintf(stderr, "position %d: llama_decode failed\n", begin);
            return 1;
        }
        for (int i = 0; i < batch.n_tokens; i++) {
            fwrite(llama_get_logits_ith(context, i), 1, row, logits);
        }
        llama_batch_free(batch);
        evaluations++;
        begin = end;
    }
    llama_free(context);
    llama_model_free(model);
    if (fclose(logits) != 0 || fclose(products.file) != 0) {
        perror(folder.c_str());
        return 1;
    }
    printf("positions: %d\nevaluations: %d\nproducts: %ld\n", count, evaluations, products.count);
    return 0;
}
