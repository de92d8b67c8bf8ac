"""RoBERTa encoder with GlobalPointer heads, in the tensor names of Hugging Face BERT.

The state dict of `JointExtractor` is the bundle's `model.safetensors`: `bert.*` as Hugging Face
writes it, and one prefix per head (`entity`, `so_head`, `so_tail`).
"""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

MASKED = -1e4  # finite, and representable in FP16


class Embeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["hidden_size"]
        self.word_embeddings = nn.Embedding(config["vocab_size"], width)
        self.position_embeddings = nn.Embedding(config["max_position_embeddings"], width)
        self.token_type_embeddings = nn.Embedding(config["type_vocab_size"], width)
        self.LayerNorm = nn.LayerNorm(width, eps=config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, ids, types):
        positions = torch.arange(ids.shape[1], device=ids.device)
        summed = (
            self.word_embeddings(ids)
            + self.position_embeddings(positions)
            + self.token_type_embeddings(types)
        )
        return self.dropout(self.LayerNorm(summed))


class SelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.drop = config["attention_probs_dropout_prob"]

    def forward(self, hidden, mask):
        batch, length, width = hidden.shape
        split = lambda x: x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
        context = F.scaled_dot_product_attention(
            split(self.query(hidden)),
            split(self.key(hidden)),
            split(self.value(hidden)),
            attn_mask=mask[:, None, None, :],
            dropout_p=self.drop if self.training else 0.0,
        )
        return context.transpose(1, 2).reshape(batch, length, width)


class Projection(nn.Module):
    """Dense, dropout, residual sum, LayerNorm: how both halves of a post-LN layer end."""

    def __init__(self, config, inputs):
        super().__init__()
        self.dense = nn.Linear(inputs, config["hidden_size"])
        self.LayerNorm = nn.LayerNorm(config["hidden_size"], eps=config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, hidden, residual):
        return self.LayerNorm(self.dropout(self.dense(hidden)) + residual)


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = nn.ModuleDict(
            {
                "self": SelfAttention(config),
                "output": Projection(config, config["hidden_size"]),
            }
        )
        self.intermediate = nn.ModuleDict(
            {"dense": nn.Linear(config["hidden_size"], config["intermediate_size"])}
        )
        self.output = Projection(config, config["intermediate_size"])

    def forward(self, hidden, mask):
        attended = self.attention["output"](self.attention["self"](hidden, mask), hidden)
        return self.output(F.gelu(self.intermediate["dense"](attended)), attended)


class Encoder(nn.Module):
    """BERT without its pooler: ids [B, L] to hidden states [B, L, hidden_size]."""

    recompute = False  # in training, keep only each layer's input and compute the rest again

    def __init__(self, config):
        super().__init__()
        self.embeddings = Embeddings(config)
        layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.encoder = nn.ModuleDict({"layer": layers})

    def forward(self, ids, types, mask):
        hidden = self.embeddings(ids, types)
        additive = (1.0 - mask.to(hidden.dtype)) * MASKED
        for layer in self.encoder["layer"]:
            if self.recompute and self.training:
                hidden = checkpoint(layer, hidden, additive, use_reentrant=False)
            else:
                hidden = layer(hidden, additive)
        return hidden


def rotate(x, positions=None):
    """RoPE on interleaved pairs of the last axis; positions are those of the axis before it."""
    length, size = x.shape[-2], x.shape[-1]
    theta = 10000.0 ** (-2.0 * torch.arange(size // 2, device=x.device) / size)
    if positions is None:
        positions = torch.arange(length, device=x.device)
    angle = positions[..., None] * theta
    cos = angle.cos().repeat_interleave(2, dim=-1).to(x.dtype)
    sin = angle.sin().repeat_interleave(2, dim=-1).to(x.dtype)
    turned = torch.stack([-x[..., 1::2], x[..., 0::2]], dim=-1).flatten(-2)
    return x * cos + turned * sin


class GlobalPointer(nn.Module):
    """logit[h, m, n] = <R_m q[m, h], R_n k[n, h]> / sqrt(d); Su, 2021."""

    def __init__(self, width, heads, size, rope):
        super().__init__()
        self.heads, self.size, self.rope = heads, size, rope
        self.dense = nn.Linear(width, heads * 2 * size)

    def queries_keys(self, hidden):
        """q and k [B, heads, L, d], rotated where the head is."""
        batch, length, _ = hidden.shape
        z = self.dense(hidden).view(batch, length, self.heads, 2 * self.size).transpose(1, 2)
        q, k = z[..., : self.size], z[..., self.size :]
        return (rotate(q), rotate(k)) if self.rope else (q, k)

    def forward(self, hidden):
        q, k = self.queries_keys(hidden)
        return q @ k.transpose(-1, -2) / math.sqrt(self.size)

    def pairs(self, rows, columns, row_positions, column_positions):
        """Logits [B, heads, R, C] of chosen tokens: hidden states [B, R or C, width], positions."""
        halves = lambda x: x.view(self.heads, 2, self.size, *x.shape[1:]).unbind(1)
        (wq, wk), (bq, bk) = halves(self.dense.weight), halves(self.dense.bias)
        q = torch.einsum("brw,hdw->bhrd", rows, wq) + bq[:, None]
        k = torch.einsum("bcw,hdw->bhcd", columns, wk) + bk[:, None]
        if self.rope:
            q, k = rotate(q, row_positions[:, None]), rotate(k, column_positions[:, None])
        return q @ k.transpose(-1, -2) / math.sqrt(self.size)


class EfficientGlobalPointer(nn.Module):
    """One shared span score plus a start and an end bias for each head; Su, 2022."""

    def __init__(self, width, heads, size, rope):
        super().__init__()
        self.heads, self.size, self.rope = heads, size, rope
        self.p_dense = nn.Linear(width, 2 * size)
        self.q_dense = nn.Linear(2 * size, 2 * heads)

    def forward(self, hidden):
        p = self.p_dense(hidden)
        q, k = p[..., 0::2], p[..., 1::2]
        if self.rope:
            q, k = rotate(q), rotate(k)
        shared = q @ k.transpose(-1, -2) / math.sqrt(self.size)
        bias = self.q_dense(p).transpose(1, 2) / 2
        return shared[:, None] + bias[:, 0::2, None, :] + bias[:, 1::2, :, None]

    def pairs(self, rows, columns, row_positions, column_positions):
        """Logits [B, heads, R, C] of chosen tokens: hidden states [B, R or C, width], positions."""
        row, column = self.p_dense(rows), self.p_dense(columns)
        q, k = row[..., 0::2], column[..., 1::2]
        if self.rope:
            q, k = rotate(q, row_positions), rotate(k, column_positions)
        shared = q @ k.transpose(-1, -2) / math.sqrt(self.size)
        start = self.q_dense(row)[..., 1::2].transpose(1, 2) / 2
        end = self.q_dense(column)[..., 0::2].transpose(1, 2) / 2
        return shared[:, None] + end[:, :, None, :] + start[:, :, :, None]


HEADS = {
    "global_pointer": GlobalPointer,
    "efficient_global_pointer": EfficientGlobalPointer,
}


class JointExtractor(nn.Module):
    """ids, types, mask [B, L] to entity [B, 2, L, L], so_head and so_tail [B, P, L, L]."""

    def __init__(self, config):
        super().__init__()
        self.bert = Encoder(config)
        for name in ("entity", "so_head", "so_tail"):
            head = config["spo_heads"][name]
            count = 2 if name == "entity" else config["num_predicates"]
            kind = HEADS[head["type"]]
            setattr(self, name, kind(config["hidden_size"], count, head["head_size"], head["rope"]))
        self.apply(initialise)

    def forward(self, ids, types, mask):
        hidden = self.bert(ids, types, mask)
        keep = (mask[:, None, :, None] * mask[:, None, None, :]) > 0
        entity = self.entity(hidden)
        upper = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool, device=ids.device).triu()
        return (
            entity.masked_fill(~(keep & upper), MASKED),
            self.so_head(hidden).masked_fill(~keep, MASKED),
            self.so_tail(hidden).masked_fill(~keep, MASKED),
        )


class MaskedLanguageModel(nn.Module):
    """The encoder with a transform and tied output weights, for pretraining only."""

    def __init__(self, config):
        super().__init__()
        self.bert = Encoder(config)
        width = config["hidden_size"]
        self.transform = nn.Sequential(
            nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width, eps=config["layer_norm_eps"])
        )
        self.bias = nn.Parameter(torch.zeros(config["vocab_size"]))
        self.apply(initialise)

    def forward(self, ids, types, mask, chosen):
        """Logits [count of true in chosen, vocab_size]: only the chosen cells are projected."""
        hidden = self.transform(self.bert(ids, types, mask)[chosen])
        return F.linear(hidden, self.bert.embeddings.word_embeddings.weight, self.bias)


def initialise(module):
    """Normal(0, 0.02) in the encoder, Kaiming normal in the heads."""
    if isinstance(module, (GlobalPointer, EfficientGlobalPointer)):
        for layer in module.children():
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
            nn.init.zeros_(layer.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
