# A ConvLSTM that learns on a CPU: one layer of 16 units over sensors in their order, 3 passes.
#
# Forecasts 12 steps of every sensor from the 12 before, without a graph. Of a series with several
# features, say which one: target='PM2.5'. cell='gru' makes it a ConvGRU. The full size is convlstm.

model = dict(
    type='Forecaster',
    backbone=dict(type='ConvLSTM', cell='lstm', units=16, layers=1, width=3),
    loss=dict(type='MaskedL1Loss'))

train_dataloader = dict(
    batch_size=16,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='VemlWindows', past=12, ahead=12, stride=1, target=None))

optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=0.01, eps=0.001), clip_grad=dict(max_norm=5))
param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=True, begin=0, end=3, T_max=3, convert_to_iter_based=True),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3, val_interval=1)
default_scope = 'mmengine'
